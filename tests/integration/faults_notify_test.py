"""The notify socket of PID 1 under abuse; a test's name begins with the fault's id."""

import os
import signal
import unittest

from harness import ORDINARY_UID, PYTHON, children_of, until
from manager_harness import OnsetSystemTest, cgroups_can_be_made, process_state

STAY = "/bin/sleep infinity"
# Sends, in the service's own main process, whatever the test writes as Python.
SEND = """
import array, os, signal, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
send = lambda data: s.send(data if isinstance(data, bytes) else data.encode())
"""
WAIT = "\nwhile True: signal.pause()\n"


class NotifyTest(OnsetSystemTest):
    def boot_sender(self, code, *lines, type="notify", **kind):
        """A system whose a.service runs this code with `send` at hand."""
        system = self.boot({
            "a.service": "[Service]\nType=" + type + "\nExecStart=@python@ @work@/sender.py\n"
                         + "\n".join(lines) + "\n",
            "b.service": f"[Service]\nExecStart={STAY}\n"}, **kind)
        with open(system.path("sender.py"), "w") as file:
            file.write(SEND + code)
        return system


class Notify(NotifyTest):
    def test_N1_empty_nul_and_oversized_messages_are_dropped_and_the_next_is_heard(self):
        system = self.boot_sender("""
for junk in (b"", b"\\0", b"READY=1\\0X", b"X" * 4097, b"READY=1\\n" + b"Y" * 100000, b"=\\n=\\n", b"\\xff\\xfe"):
    try: send(junk)
    except OSError: pass
open(sys.argv[0] + ".sent", "w").close()
open(sys.argv[0] + ".go").read()
send("READY=1")""" + WAIT)
        os.mkfifo(system.path("sender.py.go"))
        self.ok(system, "start", "--no-block", "a.service")
        until(lambda: system.read("sender.py.sent") is not None, "the junk is sent")
        self.assertEqual(system.show("a.service", "SubState"), "start")
        with open(system.path("sender.py.go"), "w"):
            pass
        system.until_state("a.service", "active/running")

    def test_N2_others_than_the_main_process_are_heard_only_where_notify_access_says_so(self):
        code = """
reading, writing = os.pipe()
if os.fork() == 0:  # stays: of one that is gone nobody knows whose child it was
    send("STATUS=child")
    os.write(writing, b"x")
    signal.pause()
os.read(reading, 1)
send("READY=1")""" + WAIT
        for access, text in (("main", ""), ("all", "child")):
            with self.subTest(access=access):
                system = self.boot_sender(code, "NotifyAccess=" + access)
                self.ok(system, "start", "a.service")
                self.assertEqual(system.show("a.service", "StatusText"), text)

    def test_N2_a_stranger_is_not_heard(self):
        system = self.boot_sender("send('READY=1')" + WAIT, "NotifyAccess=all")
        self.ok(system, "start", "a.service")
        code = SEND + "send('STATUS=stranger')"
        env = {"NOTIFY_SOCKET": "/run/onset/notify", "PATH": "/usr/bin:/bin"}
        for uid in (0, ORDINARY_UID):
            self.assertEqual(system.inside([PYTHON, "-S", "-E", "-c", code], uid=uid, env=env)[0], 0)
        self.ok(system, "start", "b.service")
        self.assertEqual(system.show("a.service", "StatusText"), "")

    def test_N3_a_main_pid_that_can_be_none_of_ours_is_refused(self):
        system = self.boot_sender("""
for pid in ("0", "1", str(2**30), "-1", "4294967297", "x", ""):
    send("MAINPID=" + pid)
send("READY=1")""" + WAIT)
        self.ok(system, "start", "a.service")
        pid = int(system.show("a.service", "MainPID"))
        with open(f"/proc/{system.host_pid(pid)}/cmdline") as file:
            self.assertIn("sender.py", file.read())

    def test_N3_not_even_root_makes_onset_its_own_service_where_it_is_not_pid_1(self):
        system = self.boot_sender("""
send("MAINPID=" + str(os.getppid()))
send("READY=1")""" + WAIT, pid1=False)
        self.ok(system, "start", "a.service")
        pid = system.main_pid("a.service")
        self.assertNotEqual(pid, system.pid())
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.state(), "running")

    def test_N3_a_foreign_main_pid_is_refused_from_an_ordinary_user(self):
        system = self.boot_sender("""
open(sys.argv[0] + ".go").read()
send("MAINPID=" + open(sys.argv[0] + ".pid").read())
send("READY=1")""" + WAIT, f"User={ORDINARY_UID}")
        os.mkfifo(system.path("sender.py.go"), 0o666)
        os.chmod(system.path("sender.py.go"), 0o666)
        self.ok(system, "start", "b.service")
        foreign = system.show("b.service", "MainPID")
        with open(system.path("sender.py.pid"), "w") as file:
            file.write(foreign)
        self.ok(system, "start", "--no-block", "a.service")
        with open(system.path("sender.py.go"), "w"):
            pass
        system.until_state("a.service", "active/running")
        self.assertNotEqual(system.show("a.service", "MainPID"), foreign)
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.show("b.service", "ActiveState"), "active")

    def test_N4_last_words_are_heard_before_the_exit_that_follows(self):
        system = self.boot_sender("send('READY=1\\nSTATUS=last words')\n", "RemainAfterExit=yes",
                                  "[Unit]", "StartLimitIntervalSec=0")
        for _ in range(10):
            self.ok(system, "start", "a.service")
            system.until_state("a.service", "active/exited")
            self.assertEqual(system.show("a.service", "StatusText"), "last words")
            self.ok(system, "stop", "a.service")

    def let_speak_and_end(self, system):
        """Lets sender.py go while PID 1 can't look, until a child of PID 1 has ended."""
        os.kill(system.pid(), signal.SIGSTOP)
        with open(system.path("sender.py.go"), "w"):
            pass
        until(lambda: any(process_state(pid) == "Z" for pid in children_of(system.pid())), "an end")
        os.kill(system.pid(), signal.SIGCONT)

    def last_words_of_an_orphan(self, **kind):
        system = self.boot_sender("""
send("READY=1")
open(sys.argv[0] + ".go").read()
if os.fork() == 0:
    middle = os.getpid()
    if os.fork() == 0:
        while os.getppid() == middle: pass
        send("STATUS=orphan")
        os._exit(0)
    os._exit(0)
os.wait()
""" + WAIT, "NotifyAccess=all", **kind)
        os.mkfifo(system.path("sender.py.go"))
        self.ok(system, "start", "a.service")
        self.let_speak_and_end(system)
        until(lambda: system.show("a.service", "StatusText") == "orphan", "the orphan is heard", 5)

    def test_N4_an_orphan_is_known_by_its_session_while_it_is_a_zombie(self):
        self.last_words_of_an_orphan()

    def test_N4_an_orphan_is_known_by_its_cgroup_while_it_is_a_zombie(self):
        if not cgroups_can_be_made():
            self.skipTest("no writable cgroup v2 hierarchy")
        self.last_words_of_an_orphan(cgroup=True)

    def test_N4_last_words_behind_a_full_queue_are_heard_before_the_exit(self):
        system = self.boot_sender("""
open(sys.argv[0] + ".go").read()
sockets = []
for i in range(3000):  # one socket alone may have some hundred under way
    if i % 100 == 0:
        sockets.append(s)
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.connect(os.environ["NOTIFY_SOCKET"])
    send("STATUS=%d" % i)
send("READY=1\\nSTATUS=last words")
""", "RemainAfterExit=yes", setup=["echo 4000 > /proc/sys/net/unix/max_dgram_qlen"])
        os.mkfifo(system.path("sender.py.go"))
        self.ok(system, "start", "--no-block", "a.service")
        self.let_speak_and_end(system)
        system.until_state("a.service", "active/exited")
        self.assertEqual(system.show("a.service", "StatusText"), "last words")

    def test_N5_a_flood_of_messages_keeps_no_child_from_being_collected(self):
        system = self.boot_sender("""
send("READY=1")
while True: send("STATUS=" + "x" * 1000)
""", setup=["echo 4000 > /proc/sys/net/unix/max_dgram_qlen"])
        system.write({"true.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/bin/true\n"})
        self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        for _ in range(10):
            self.ok(system, "start", "true.service")
        self.ok(system, "stop", "a.service")

    def test_N4_without_proc_what_cannot_be_known_is_said_once(self):
        system = self.boot_sender("""
for _ in range(2):
    if os.fork() == 0:
        send("STATUS=child")
        os._exit(0)
    os.wait()
send("READY=1")
""" + WAIT, "NotifyAccess=all", no_proc=True)
        self.ok(system, "start", "a.service")
        self.assertEqual(system.log().count("without /proc NotifyAccess=all"), 1, system.log())

    def test_N5_a_flood_leaves_the_manager_answering(self):
        system = self.boot_sender("""
send("READY=1")
while True: send("STATUS=" + "x" * 1000)
""")
        self.ok(system, "start", "a.service")
        for _ in range(5):
            self.assertEqual(system.state(), "running")
        self.ok(system, "start", "b.service")
        self.ok(system, "stop", "a.service")

    def test_N6_descriptors_that_are_sent_along_are_closed(self):
        system = self.boot_sender("""
fds = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(200)])
for count in (1, 253, 200, 7) * 20:
    try: s.sendmsg([b"FDSTORE=1\\nFDNAME=x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds[:count])])
    except OSError: pass
send("READY=1")""" + WAIT)
        self.ok(system, "start", "b.service")
        before = system.descriptors()
        self.ok(system, "start", "a.service")
        until(lambda: system.descriptors() <= before + 1, "the descriptors are closed")

    def test_N7_a_reload_whose_service_dies_leaves_no_stuck_state(self):
        system = self.boot_sender("""
signal.signal(signal.SIGHUP, lambda *_: (send("RELOADING=1\\nMONOTONIC_USEC=1"), os.kill(os.getpid(), 9)))
send("READY=1")""" + WAIT, "ExecReload=/bin/kill -HUP $MAINPID")
        self.ok(system, "start", "a.service")
        system.cli("reload", "a.service")
        system.until_state("a.service", "failed")
        self.assertEqual(system.show("a.service", "Job"), "")
        self.ok(system, "start", "a.service")

    def test_N8_CVE_2018_15686_a_status_with_newlines_forges_nothing(self):
        system = self.boot_sender("""
send("STATUS=" + "x" * 2000 + "\\r\\x1b[31mMainPID=1\\rUser=root\\nmain-pid=1\\nMainPID=1\\nstate=failed\\nREADY=1")""" + WAIT,
                                  f"User={ORDINARY_UID}")
        self.ok(system, "start", "a.service")
        pid = system.show("a.service", "MainPID")
        self.assertNotEqual(pid, "1")
        self.assertEqual(system.show("a.service", "StatusText"), "x" * 2000 + "  [31mMainPID=1 User=root")
        before = sorted(self.ok(system, "show", "a.service").splitlines())
        self.ok(system, "daemon-reload")
        after = sorted(self.ok(system, "show", "a.service").splitlines())
        self.assertEqual([line.partition("=")[0] for line in after], [line.partition("=")[0] for line in before])
        self.assertEqual([line for line in after if line.startswith(("MainPID=", "User=", "ActiveState="))],
                         ["ActiveState=active", "MainPID=" + pid, f"User={ORDINARY_UID}"])
        self.assertNotIn("\x1b", self.ok(system, "status", "a.service"))


if __name__ == "__main__":
    unittest.main()
