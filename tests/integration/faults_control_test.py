"""The control socket of PID 1 under abuse; a test's name begins with the fault's id."""

import os
import resource
import socket
import unittest

from harness import ONSET, ORDINARY_UID, PYTHON, SANITIZED, until
from manager_harness import OnsetSystemTest

STAY = "/bin/sleep infinity"
# Runs inside the namespaces: only there has a peer a pid that the manager sees.
CLIENT = """
import array, json, os, resource, socket, struct, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect("/run/onset/control")
    return s
def receive(s):
    data = b""
    while not data.endswith(b"\\0"):
        piece = s.recv(65536)
        if not piece: return data
        data += piece
    return data
def call(s, method, **parameters):
    s.sendall(json.dumps({"method": "io.onset.Manager." + method, "parameters": parameters}).encode() + b"\\0")
    return json.loads(receive(s)[:-1])
"""


class ControlTest(OnsetSystemTest):
    def client(self, system, code, uid=None):
        """Runs a client inside; its output, which must be no traceback."""
        status, out, err = system.inside([PYTHON, "-S", "-E", "-c", CLIENT + code], uid=uid, seconds=60)
        self.assertEqual(status, 0, f"{out}{err}\n{system.log()}")
        return out

    def alive(self, system):
        self.assertEqual(system.state(), "running")


class Control(ControlTest):
    def test_S1_an_ordinary_user_is_refused(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"})
        code, _, err = system.cli("start", "a.service", uid=ORDINARY_UID)
        self.assertNotEqual(code, 0)
        self.assertTrue(err)
        self.assertEqual(system.show("a.service", "ActiveState"), "inactive")

    def test_S1_an_ordinary_user_with_the_sockets_file_open_to_all_is_refused(self):
        system = self.boot()
        self.assertEqual(system.inside(["chmod", "0777", "/run/onset/control"])[0], 0)
        out = self.client(system, """
s = connect()
try: s.sendall(b'{"method":"io.onset.Manager.Ping"}\\0'); print(receive(s))
except (BrokenPipeError, ConnectionResetError): print(b"")
""", uid=ORDINARY_UID)
        self.assertEqual(out.strip(), "b''")
        self.alive(system)

    def test_S10_names_and_paths_of_a_caller_are_checked_before_any_use(self):
        system = self.boot()
        out = self.client(system, """
names = ["../../etc/passwd", "/etc/passwd", "../a.service", "a/b.service", "a\\n.service", "a\\0.service", "",
         "a@../x.service", "x" * 300 + ".service", "\\x1b[2J.service", "a.service/", ".", "..", "a.nosuchtype"]
for name in names:
    for method, parameters in (("Enqueue", {"units": [name], "type": "start"}), ("GetUnit", {"unit": name}),
                               ("GetProperties", {"unit": name}), ("Kill", {"unit": name}),
                               ("ResetFailed", {"unit": name}), ("ListDependencies", {"unit": name})):
        s = connect()
        reply = call(s, method, **parameters)
        if "error" not in reply: print(method, repr(name), str(reply)[:200])
        s.close()
""")
        self.assertEqual(out, "")
        self.alive(system)

    def test_S11_what_a_unit_file_says_cannot_drive_the_terminal(self):
        system = self.boot({"a.service": "[Unit]\nDescription=a\x1b]0;owned\x07\x1b[2Jb\u009b31m\n[Service]\n"
                                         "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true \x1b[31m\n"})
        self.ok(system, "start", "a.service")
        for line in (["status", "a.service"], ["status"], ["list-units"], ["show", "a.service"], ["list-units", "--json"],
                     ["list-dependencies"]):
            _, out, err = system.cli(*line)
            for text in (out, err):
                self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]", line)
        self.assertNotRegex(system.log(), "[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]")

    def test_S4_a_confined_service_cannot_have_another_unit_started(self):
        start = f"Type=oneshot\nExecStart={ONSET} start --no-block other.service\n"
        system = self.boot({
            "confined.service": f"[Service]\nNoNewPrivileges=yes\n{start}",
            "free.service": f"[Service]\n{start}",
            "other.service": f"[Service]\nExecStart={STAY}\n",
        })
        self.assertNotEqual(system.cli("start", "confined.service")[0], 0)
        self.assertEqual(system.show("other.service", "ActiveState"), "inactive")
        self.assertEqual(system.cli("start", "free.service")[0], 0)
        until(lambda: system.show("other.service", "ActiveState") == "active", "other.service is active")

    def test_S4_a_confined_service_that_leaves_its_session_behind_starts_nothing_either(self):
        # Two forks, a session of its own, no environment, and a parent that stays, so that
        # nobody is missed: only the kernel knows what it lacks.
        escape = f"""
import os, signal, sys
if os.fork():
    os.wait()
    while True: signal.pause()
os.setsid()
if os.fork(): os._exit(0)
while os.getppid() != 1: pass
code = os.spawnve(os.P_WAIT, "{ONSET}", ["onset", "start", "--no-block", sys.argv[1]], {{}})
with open(sys.argv[2], "a") as said: said.write("tried " + str(code) + chr(10))
"""
        for setting, code in (("NoNewPrivileges=yes", "1"), ("CapabilityBoundingSet=~CAP_SYS_ADMIN", "1"),
                              ("NoNewPrivileges=no", "0")):
            with self.subTest(setting=setting):
                system = self.boot({
                    "loose.service": f"[Service]\n{setting}\n"
                                     "ExecStart=/usr/bin/env -i @python@ @work@/escape.py other.service @work@/said\n",
                    "other.service": f"[Service]\nExecStart={STAY}\n",
                }, work={"escape.py": escape})
                self.ok(system, "start", "loose.service")
                system.until_said("tried " + code)
                if code == "1":
                    self.assertEqual(system.show("other.service", "ActiveState"), "inactive")

    def test_S2_root_of_another_user_namespace_is_judged_by_its_uid_here(self):
        system = self.boot()
        self.assertEqual(system.inside(["chmod", "0777", "/run/onset/control"])[0], 0)
        line = ["unshare", "--user", "--map-root-user", PYTHON, "-S", "-E", "-c", CLIENT + """
s = connect()
try: s.sendall(b'{"method":"io.onset.Manager.Ping"}\\0'); print(receive(s))
except (BrokenPipeError, ConnectionResetError): print(b"")
"""]
        self.assertEqual(system.inside(line, uid=ORDINARY_UID), (0, "b''\n", ""))
        self.alive(system)

    def test_S3_a_peer_from_outside_the_namespace_is_refused(self):
        system = self.boot()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(10)
            s.connect(f"/proc/{system.pid()}/root/run/onset/control")
            try:
                s.sendall(b'{"method":"io.onset.Manager.Ping"}\0')
                answer = s.recv(100)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
        self.assertEqual(answer, b"")
        self.alive(system)

    def test_S5_clients_that_stop_halfway_or_never_read_hold_nothing_up(self):
        system = self.boot()
        self.client(system, """
half = [connect() for _ in range(20)]
for s in half: s.sendall(b'{"method":"io.onset.Man')
deaf = connect()
deaf.settimeout(2)
try:
    while True: deaf.sendall(b'{"method":"io.onset.Manager.ListUnits","more":true}\\0' * 100)
except (socket.timeout, BrokenPipeError, ConnectionResetError): pass
assert call(connect(), "Ping")["parameters"] == {}, "no answer"
""")
        self.alive(system)
        until(lambda: system.descriptors() < 40, "their connections are closed")

    def test_S6_malformed_messages_get_an_error_and_leave_the_manager_as_it_was(self):
        # What is freed is free at once.
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
        system = self.boot(env={"ASAN_OPTIONS": options} if SANITIZED else {})
        out = self.client(system, """
def rss(): return int(next(l for l in open("/proc/1/status") if l.startswith("VmRSS")).split()[1])
junk = [b"\\0", b"{}\\0", b"[]\\0", b"null\\0", b'{"method":null}\\0', b'{"method":"x"}\\0', b"[" * 100000 + b"\\0",
        b'{"a":' * 5000 + b"\\0", struct.pack("<I", 2**31) + b"\\0", b"\\xff" * 4096 + b"\\0", b"x" * (2 << 20),
        b'{"method":"io.onset.Manager.Enqueue","parameters":{"units":[null],"type":"start"}}\\0',
        b'{"method":"io.onset.Manager.Enqueue","parameters":{"units":"' + b"x" * 500000 + b'","type":7}}\\0',
        b'{"method":"io.onset.Manager.GetUnit","parameters":{"name":"../../etc/passwd"}}\\0',
        b'{"method":"io.onset.Manager.GetUnit","parameters":{"name":"a\\\\u0000b.service"}}\\0']
answers = []
def round():
    for data in junk:
        s = connect()
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            answers.append(receive(s))
        except (BrokenPipeError, ConnectionResetError): answers.append(b"")
        s.close()
round(); round()
before = rss()
for _ in range(10): round()
assert rss() - before < 2000, (before, rss())
for answer in answers:
    assert answer == b"" or b'"error"' in answer, answer
print(len(answers))
""")
        self.assertEqual(out.strip(), "180")
        self.alive(system)

    def test_S7_thousands_of_clients_leave_room_for_root(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"})
        self.client(system, """
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
sockets = []
for _ in range(3000):
    s = connect()
    sockets.append(s)
assert call(connect(), "Ping")["parameters"] == {}, "no answer"
""")
        self.alive(system)
        until(lambda: system.descriptors() < 40, "their connections are closed")
        self.ok(system, "start", "a.service")

    @staticmethod
    def sockets(pid):
        def is_socket(name):
            try:
                return os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
            except FileNotFoundError:  # closed meanwhile
                return False

        return sum(map(is_socket, os.listdir(f"/proc/{pid}/fd")))

    def test_P2_a_client_is_told_that_the_manager_has_no_descriptor_to_look_at_it_with(self):
        system = self.boot()
        pid = system.pid()
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        until(lambda: self.sockets(pid) == 2, "but for control and notify, none is left of the start")
        open_ones = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        free = min(set(range(4096)) - open_ones)
        # One that is left takes the connection.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free + 1, before[1]))
        code, out, err = system.cli("list-jobs")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("Too many open files", err)
        self.alive(system)

    def test_S8_descriptors_that_are_sent_along_are_closed(self):
        system = self.boot()
        before = system.descriptors()
        self.client(system, """
null = os.open("/dev/null", os.O_RDONLY)
s = connect()
for _ in range(50):
    s.sendmsg([b'{"method":"io.onset.Manager.Ping"}\\0'],
              [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 250))])
    receive(s)
for _ in range(50):
    t = connect()
    t.sendmsg([b"{"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 250))])
    t.close()
assert call(s, "Ping")["parameters"] == {}
""")
        until(lambda: system.descriptors() <= before, "the descriptors are closed")
        self.alive(system)


if __name__ == "__main__":
    unittest.main()
