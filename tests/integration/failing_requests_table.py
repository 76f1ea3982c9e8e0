"""What PID 1 is asked for in failing_requests.py: a Varlink client, and the table of requests."""

import json
import os
import re
import time

from harness import ROOT
from inmate import STEP, connect

INTERFACE = os.path.join(ROOT, "docs", "io.onset.Manager.varlink")
OWN = "io.onset.Manager."
OUT_OF_RESOURCES = OWN + "OutOfResources"
LAST_WORDS = (OUT_OF_RESOURCES, OWN + "BadMessage")  # the connection is closed after it
UNITS = {
    "quick.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=@service@ exit 0\n",
    "failing.service": "[Service]\nType=oneshot\nExecStart=@service@ exit 3\n",
    "absent.service": "[Service]\nExecStart=/nonexistent/program\n",
    "above.service": "[Unit]\nRequires=failing.service\nAfter=failing.service\n"
                     "[Service]\nType=oneshot\nExecStart=@service@ exit 0\n",
    "idle.service": "[Unit]\nDocumentation=man:nothing(8)\nWants=idle.target\n[Service]\nExecStart=@service@ stay\n",
    "alone.target": "[Unit]\nAllowIsolate=yes\nWants=notify.service forking.service user.service\n",
    "idle.target": "[Unit]\nDescription=Nothing\n",
    "half.service": "[Unit]\nDescription=\n[Service]\nType=nothing\nExecStart=relative\n",
}


# A reply that failed may have let it start, and a start that failed ends in failed.
MADE = "[Unit]\nDefaultDependencies=no\nCollectMode=inactive-or-failed\n[Service]\nType=oneshot\nExecStart=/bin/true\n"


class Closed(Exception):
    """The connection was, before the last reply."""


class Connection:
    def __init__(self):
        self.socket = connect(time.monotonic() + STEP)
        self.text = b""
        self.is_open = True

    def close(self):
        self.socket.close()
        self.is_open = False

    def write(self, message):
        try:
            self.socket.sendall(message)
        except (BrokenPipeError, ConnectionResetError):
            pass  # why may have come before

    def send(self, method, parameters, more=False):
        name = method if "." in method else OWN + method
        self.write(json.dumps({"method": name, "parameters": parameters, "more": more}).encode() + b"\0")

    def reply(self, seconds=STEP):
        end = time.monotonic() + seconds
        while b"\0" not in self.text:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                self.close()
                raise Closed
            self.text += piece
        message, self.text = self.text.split(b"\0", 1)
        reply = json.loads(message)
        if reply.get("error") in LAST_WORDS:
            self.close()
        return reply

    def replies(self):
        """All of one call."""
        replies = []
        while not replies or replies[-1].get("continues"):
            replies.append(self.reply())
        return replies

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.reply()


class Request:
    """A row: a call, from the state that the jobs of `before` lead to."""

    def __init__(self, method, parameters=None, more=False, before=(), note=""):
        self.method, self.parameters, self.more, self.before = method, parameters or {}, more, before
        words = [method.rpartition(".")[2], json.dumps(self.parameters) if parameters else "", "more" * more, note]
        self.name = " ".join(filter(None, words))[:100]

    def make(self, connections):
        """The replies. The connections have been accepted and are idle; the first is closed unless
        it is so again, the second is for what else is asked."""
        connections[0].send(self.method, self.parameters, self.more)
        return connections[0].replies()


class First(Request):
    """Of a stream that does not end by itself its first reply."""

    def make(self, connections):
        connections[0].send(self.method, self.parameters, True)
        try:
            return [connections[0].reply()]
        finally:
            connections[0].close()


class Events(Request):
    """A subscriber that hears of a job from beginning to end."""

    def __init__(self, parameters, before):
        super().__init__("Subscribe", parameters, True, before, "and a job")

    def make(self, connections):
        try:
            return self.hear(*connections)
        finally:
            connections[0].close()

    def hear(self, subscriber, other):
        subscriber.send(self.method, self.parameters, True)
        replies = [subscriber.reply()]
        if "error" in replies[0]:
            return replies
        other.send("Enqueue", {"units": ["quick.service"], "type": "start", "wait": True})
        replies += other.replies()
        if "error" in replies[-1]:
            return replies  # there may be no job
        seen = set()
        while "job-done" not in seen and "unit" not in seen:  # in between there may be more and fewer
            reply = subscriber.reply()
            if "error" in reply:
                return [*replies, reply]
            seen.add(reply["parameters"]["event"])
        return replies


class Bytes(Request):
    """What is no call, or not like others."""

    def __init__(self, name, message):
        super().__init__(name)
        self.message = message

    def make(self, connections):
        connections[0].write(self.message)
        return [connections[0].reply()]


class Silence(Request):
    """A connection, and nothing is said."""

    def make(self, connections):
        silent = Connection()
        try:
            return [connections[1].call("Ping")]  # it has been accepted then
        finally:
            silent.close()


class NewConnection(Request):
    """A call on a connection that is not accepted yet."""

    def make(self, connections):
        new = Connection()
        try:
            new.send(self.method, self.parameters, self.more)
            return new.replies()
        finally:
            new.close()


class Leaving(Request):
    """The client leaves before the job has ended; another one waits for it."""

    def make(self, connections):
        connections[0].send(self.method, self.parameters)
        connections[0].close()
        connections[1].send(self.method, self.parameters)
        return connections[1].replies()


def job(kind, *units, wait=True, **more):
    return {"units": list(units), "type": kind, "wait": wait, **more}


STOPPED, STARTED = ("stop", "quick.service"), ("start", "quick.service")
MADE_GONE = ("stop", "made.service")
NOTIFYING = ("start", "notify.service")
TABLE = [
    Request("Ping"),
    NewConnection("Ping", note="on a new connection"),
    Silence("Ping", note="after a silent connection"),
    Request("GetVersion"),
    Request("GetDefault"),
    Request("GetEnvironment"),
    Request("ChangeEnvironment", {"unset": ["B"], "set": ["A=1"]}),
    Request("SetLogging", {"level": "info"}),
    Request("GetSystemState"),
    Request("GetSystemState", {"wait": True}, more=True),
    Request("GetManagerProperties"),
    Request("GetUnit", {"unit": "notify.service"}),
    Request("GetUnit", {"unit": "idle.service"}, note="not loaded"),
    Request("GetUnit", {"unit": "half.service"}, note="in error"),
    Request("GetUnit", {"unit": "nothing.service"}),
    Request("GetUnit", {"unit": "nothing.slice"}),
    Request("GetUnit", {"unit": "no name"}),
    Request("GetUnits", {"units": ["notify.service", "no name", "nothing.service"]}),
    Request("GetUnits", {"units": ["notify.service", "nothing.service"]}, more=True),
    Request("GetProperties", {"unit": "notify.service"}),
    Request("GetProperties", {"unit": "idle.service", "names": ["Id", "ActiveState"]}),
    Request("ListProperties", {"units": ["notify.service", "no name"], "names": ["Id"]}),
    Request("ListProperties", {"units": ["notify.service"]}, more=True),
    Request("ListUnits"),
    Request("ListUnits", {"patterns": ["*.service"], "all": True}, more=True),
    Request("ListUnitStatus", {"patterns": ["notify.service"]}),
    Request("ListUnitStatus", {"patterns": ["n*.service"]}, more=True),
    Request("FindUnit", {"pid": 2 ** 30}),
    Request("ListJobs", {"order": True}),
    Request("CancelJob"),
    Request("CancelJob", {"id": 99999}),
    Request("ListDependencies", {"unit": "main.target"}),
    Request("ListDependencies", {"units": ["main.target", "idle.service"], "reverse": True}, more=True),
    Request("Kill", {"unit": "notify.service", "signal": 18}),
    Request("Kill", {"unit": "quick.service", "fail": True}, before=[STOPPED]),
    Request("Freeze", {"unit": "notify.service"}),
    Request("Thaw", {"unit": "notify.service"}),
    Request("ResetFailed"),
    Request("ResetFailed", {"unit": "failing.service"}, before=[("start", "failing.service")]),
    Request("Reload"),
    Request("Shutdown", {"how": "nothing"}),
    Request("ScheduleShutdown", {"how": "nothing", "after_usec": 1}),
    Request("ScheduleShutdown", {"how": "reboot", "after_usec": 10 ** 12, "message": "later"}),
    Request("GetScheduledShutdown"),
    Request("CancelShutdown"),
    First("Subscribe"),
    First("Subscribe", {"units": ["idle.service"]}),
    Events({}, [STOPPED]),
    Events({"units": ["quick.service"]}, [STOPPED]),
    Request("Enqueue", job("start", "quick.service"), before=[STOPPED]),
    Request("Enqueue", job("start", "quick.service"), more=True, before=[STOPPED]),
    Request("Enqueue", job("start", "quick.service", wait=False), before=[STOPPED]),
    Request("Enqueue", job("start", "quick.service"), before=[STARTED], note="once more"),
    Leaving("Enqueue", job("start", "quick.service"), before=[STOPPED], note="and leave"),
    Request("Enqueue", job("start", "notify.service"), before=[("stop", "notify.service")]),
    Request("Enqueue", job("stop", "notify.service"), before=[NOTIFYING]),
    Request("Enqueue", job("stop", "quick.service", wait=False), before=[STARTED]),
    Request("Enqueue", job("restart", "notify.service"), before=[NOTIFYING]),
    Request("Enqueue", job("restart", "quick.service", wait=False), before=[STARTED]),
    Request("Enqueue", job("try-restart", "quick.service"), before=[STARTED]),
    Request("Enqueue", job("try-restart", "quick.service"), before=[STOPPED], note="of none"),
    Request("Enqueue", job("reload", "notify.service"), before=[NOTIFYING]),
    Request("Enqueue", job("reload", "notify.service", wait=False), before=[NOTIFYING]),
    Request("Enqueue", job("reload", "quick.service"), before=[STARTED]),
    Request("Enqueue", job("reload-or-restart", "quick.service"), before=[STARTED]),
    Request("Enqueue", job("try-reload-or-restart", "notify.service"), before=[NOTIFYING]),
    Request("Enqueue", job("start", "failing.service")),
    Request("Enqueue", job("start", "above.service")),
    Request("Enqueue", job("start", "absent.service")),
    Request("Enqueue", job("start", "half.service")),
    Request("Enqueue", job("start", "nothing.service")),
    Request("Enqueue", job("stop", "nothing.service")),
    Request("Enqueue", job("start", "quick.service", "nothing.service"), before=[STOPPED]),
    Request("Enqueue", job("start", "quick.service", mode="fail"), more=True, before=[STARTED]),
    Request("Enqueue", job("start", "idle.service", mode="isolate")),
    Request("Enqueue", job("start", "alone.target", mode="isolate"), before=[STARTED]),
    Request("StartTransient", {"unit": "made.service", "text": MADE, "wait": True, "until_end": True}, before=[MADE_GONE]),
    Request("StartTransient", {"unit": "made.service", "text": MADE, "until_end": True}, more=True, before=[MADE_GONE]),
    Request("StartTransient", {"unit": "made.service", "text": "[Service]\n"}, before=[MADE_GONE]),
    Request("StartTransient", {"unit": "made.scope", "text": "[Scope]\n", "pids": [2 ** 30]}),
    Request("StartTransient", {"unit": "quick.service", "text": MADE}),
    Request("Abandon", {"unit": "quick.service"}),
    Request("org.varlink.service.GetInfo"),
    Request("org.varlink.service.GetInterfaceDescription", {"interface": "io.onset.Manager"}),
    Request("org.varlink.service.GetInterfaceDescription", {"interface": "nothing"}),
    Request("Nothing"),
    Request("org.example.Nothing"),
    Request("Subscribe", note="without more"),
    Request("Ping", {"unknown": "x" * 20000}),
    Bytes("garbage", b"garbage\0"),
    Bytes("an empty message", b"\0"),
    Bytes("deep nesting", b"[" * 1000 + b"\0"),
    Bytes("an upgrade", b'{"method": "io.onset.Manager.Ping", "upgrade": true}\0'),
]


def methods():
    """Of the interface file."""
    with open(INTERFACE, encoding="utf-8") as file:
        return re.findall(r"^method (\w+)", file.read(), re.MULTILINE)
