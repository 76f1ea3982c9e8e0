"""Known flaws of other systems, tried on onset: a test's name has the CVE whose attack it repeats.
docs/testing.md has the table of all of them, which the last test here holds to the tests."""

import os
import re
import unittest

from faults_control_test import ControlTest
from faults_exec_test import HygieneTest
from faults_notify_test import SEND, WAIT, NotifyTest
from harness import ENVIRONMENT, ONSET, ORDINARY_UID, PYTHON, ROOT, Process
from manager_harness import OnsetSystemTest, cgroups_can_be_made

STAY = "/bin/sleep infinity"
SMALL_STACK = "ulimit -s 256"  # KiB: what was copied to the stack does not fit


class Notify(NotifyTest):
    def empty_datagrams_of_anybody(self, system):
        code = SEND + "for _ in range(500): send(b'')"
        env = {"NOTIFY_SOCKET": "/run/onset/notify", "PATH": "/usr/bin:/bin"}
        for uid in (ORDINARY_UID, 0):
            self.assertEqual(system.inside([PYTHON, "-S", "-E", "-c", code], uid=uid, env=env), (0, "", ""))

    def test_CVE_2016_7795_empty_datagrams_of_any_user_do_not_end_pid_1(self):
        system = self.boot_sender("for _ in range(500): send(b'')\nsend('READY=1')" + WAIT,
                                  f"User={ORDINARY_UID}", "NotifyAccess=all")
        self.empty_datagrams_of_anybody(system)
        self.ok(system, "start", "a.service")
        self.assertEqual(system.state(), "running")

    def test_CVE_2016_7796_after_an_empty_datagram_the_next_is_heard(self):
        system = self.boot_sender("send('READY=1')" + WAIT)
        self.empty_datagrams_of_anybody(system)
        self.ok(system, "start", "a.service")
        self.empty_datagrams_of_anybody(system)
        self.ok(system, "restart", "a.service")


class Control(ControlTest):
    def test_CVE_2019_6454_a_name_longer_than_the_stack_is_an_error(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"}, setup=[SMALL_STACK])
        out = self.client(system, """
for size in (4096, 300000, 900000):
    long = "/" + "x" * size
    for method, parameters in (("x" * size, {}), ("y." * (size // 2), {}), ("GetUnit", {"unit": long}),
                               ("GetUnit", {"unit": long + ".service"}), ("Enqueue", {"units": [long], "type": "start"}),
                               ("GetProperties", {"unit": "a.service", "names": [long]}), ("Kill", {"unit": long}),
                               ("ListDependencies", {"unit": long}), ("Ping", {long: long}),
                               ("Subscribe", {"units": [long]})):
        try: reply = call(connect(), method, **parameters)
        except (BrokenPipeError, ConnectionResetError): continue  # it was told to be too long
        if method == "GetProperties": assert list(reply["parameters"]["properties"]) in ([], [long]), str(reply)[:200]
        elif method != "Subscribe": assert "error" in reply, (method[:20], size, str(reply)[:200])
""")
        self.assertEqual(out, "")
        self.alive(system)

    @unittest.skipUnless(cgroups_can_be_made(), "no writable cgroup v2 hierarchy")
    def test_CVE_2026_29111_a_caller_in_a_cgroup_of_any_path_is_in_no_unit(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"}, cgroup=True, setup=[SMALL_STACK])
        self.ok(system, "start", "a.service")
        # The last path is longer than the kernel will tell.
        out = self.client(system, f"""
top = os.open("/sys/fs/cgroup/{system.group}", os.O_RDONLY)
for path in (["x.service"], ["a.service"], ["..service"], ["@.service"], ["a@..service", "a.service"], ["-.slice"],
             ["system.slice", "z.service"], ["\\udcff\\udcfe.service"], ["\\x01\\x1b[2J.service"], ["a 0::.service"], ["(deleted)"],
             ["d" * 255] * 12, ["d" * 255] * 20):
    os.fchdir(top)
    for name in path:
        if not os.path.isdir(name): os.mkdir(name)
        os.chdir(name)
    with open("cgroup.procs", "w") as procs: procs.write("0")
    s = connect()
    reply = call(s, "FindUnit", pid=os.getpid())
    assert reply.get("error") == "io.onset.Manager.NoSuchProcess", (path[0], reply)
    n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    n.connect("/run/onset/notify")
    n.send(b"STATUS=stranger")
    assert call(s, "GetUnit", unit="a.service")["parameters"]["unit"]["name"] == "a.service"
    back = os.open("/sys/fs/cgroup/{system.group}/init.scope/cgroup.procs", os.O_WRONLY)
    os.write(back, b"0")
    for name in reversed(path):
        os.chdir("..")
        try: os.rmdir(name)
        except OSError: assert name == "system.slice", name
""")
        self.assertEqual(out, "")
        self.assertEqual(system.show("a.service", "StatusText"), "")
        self.ok(system, "stop", "a.service")
        self.alive(system)

    def test_CVE_2026_40223_no_call_about_a_delegated_unit_without_a_user_ends_pid_1(self):
        system = self.boot({"a.service": f"[Service]\nDelegate=yes\nExecStart={STAY}\nExecReload=/bin/true\n"},
                           cgroup=cgroups_can_be_made())
        self.ok(system, "start", "a.service")
        self.assertEqual((system.show("a.service", "Delegate"), system.show("a.service", "User")), ("yes", ""))
        self.assertEqual(system.inside(["chmod", "0777", "/run/onset/control"])[0], 0)
        calls = """
unit = {"unit": "a.service"}
calls = [("GetUnit", unit), ("GetProperties", unit), ("ListDependencies", unit), ("ListUnits", {}), ("ResetFailed", unit),
         ("ListUnitStatus", {}), ("ListProperties", {"units": ["a.service"]}), ("FindUnit", {"pid": int(sys.argv[1])}),
         ("Freeze", unit), ("GetUnit", unit), ("Thaw", unit)]
calls += [("Enqueue", {"units": ["a.service"], "type": t}) for t in ("reload", "restart", "try-restart", "reload-or-restart")]
calls += [("Kill", {**unit, "who": who, "signal": number}) for who in ("main", "control", "all") for number in (18, 23, 28)]  # CONT, URG, WINCH
answers = 0
for method, parameters in calls:
    try: answers += call(connect(), method, **parameters) is not None
    except (ValueError, BrokenPipeError, ConnectionResetError): pass
print(answers, len(calls))
"""
        code = calls.replace("sys.argv[1]", system.show("a.service", "MainPID"))
        self.assertEqual(self.client(system, code, uid=ORDINARY_UID).split()[0], "0")
        self.alive(system)
        answers, count = self.client(system, code).split()
        self.assertEqual(answers, count)
        self.alive(system)
        self.ok(system, "stop", "a.service")

    def test_CVE_2026_40227_a_null_in_an_array_or_a_map_is_an_error(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"})
        out = self.client(system, """
for array in ([None], ["a.service", None], [None] * 1000, [[None]], [{"a": None}]):
    for method, parameters in (("Enqueue", {"units": array, "type": "start"}), ("GetUnits", {"units": array}),
                               ("GetProperties", {"unit": "a.service", "names": array}),
                               ("ListProperties", {"units": array}), ("Subscribe", {"units": array}),
                               ("ListProperties", {"units": ["a.service"], "names": array}),
                               ("ListDependencies", {"units": array}), ("Ping", {"x": array})):
        reply = call(connect(), method, **parameters)
        if "error" not in reply: print(method, array[:3], str(reply)[:200])
for text in ('{"method":"io.onset.Manager.Ping","parameters":{"x":{"y":null}}}', '{"method":null,"parameters":null}',
             '{"method":"io.onset.Manager.GetUnit","parameters":{"unit":null}}', '{"":null}', '{"method":[null]}',
             '{"method":"io.onset.Manager.GetUnit","parameters":[null]}', '[null]',
             '{"method":"io.onset.Manager.Kill","parameters":{"unit":"a.service","signal":{"x":null}}}'):
    s = connect()
    s.sendall(text.encode() + b"\\0")
    reply = receive(s)
    if b'"error"' not in reply: print(text, reply)
""")
        self.assertEqual(out, "")
        self.alive(system)

    def test_CVE_2017_11610_a_dotted_name_leads_to_no_other_method_and_no_port_is_open(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"})
        out = self.client(system, """
for name in ("supervisor.supervisord.options.warnings.linecache.os.system", "Manager.Ping", "Ping.__class__",
             "manager_interface.backend_.Kill", "Ping.Ping", ".Ping", "Ping.", "", "GetUnit/../Ping", "*", "kMethods"):
    reply = call(connect(), name, command="touch /run/owned")
    if not reply.get("error", "").endswith("NotFound"): print(name, reply)
""")
        self.assertEqual(out, "")
        for protocol in ("tcp", "udp", "raw"):
            for suffix in ("", "6"):
                code, text, _ = system.inside(["cat", "/proc/net/" + protocol + suffix])
                self.assertEqual(text.splitlines()[1:], [], protocol)  # the first line is the table's head
                self.assertTrue(code == 0 or suffix == "6")
        self.alive(system)


class Accounts(OnsetSystemTest):
    """Each unit writes the uid, gid and groups that it has into a file of its own."""

    def run_as(self, settings, passwd=()):
        """setting → "UID GID GROUPS"; None where the service was not run."""
        units = {f"s{i}.service": f"[Service]\nType=oneshot\n{setting}\n"
                                  f"ExecStart=/bin/sh -c 'echo $(id -u) $(id -g) $(id -G) > @work@/s{i}'\n"
                 for i, setting in enumerate(settings)}
        system = self.boot(units, setup=[f"echo '{line}' >> /etc/passwd" for line in passwd])
        found = {}
        for i, setting in enumerate(settings):
            code = system.cli("start", f"s{i}.service")[0]
            text = system.read(f"s{i}")
            self.assertEqual(code == 0, text is not None, setting)
            found[setting] = text.strip() if text else None
        return found

    def test_CVE_2017_1000082_a_user_that_begins_with_a_digit_is_never_root(self):
        names = ("0day", "0", "7up", "00", "0root")
        settings = [f"{key}={name}" for key in ("User", "Group", "SupplementaryGroups") for name in names if name != "0"]
        self.assertEqual(self.run_as(settings), dict.fromkeys(settings))
        # Nor where there is one of that name.
        found = self.run_as(["User=0day", "User=7up"], ["0day:x:4321:4322::/:/bin/sh", "7up:x:4323:4324::/:/bin/sh"])
        self.assertIn(found["User=0day"], (None, "4321 4322 4322"))
        self.assertIn(found["User=7up"], (None, "4323 4324 4324"))

    def test_CVE_2020_13776_a_hexadecimal_or_numeric_name_is_never_root(self):
        settings = [f"{key}={name}" for key in ("User", "Group") for name in ("0x0", "0x1f", "0X0", "0b0", "0o0")]
        self.assertEqual(self.run_as(settings), dict.fromkeys(settings))
        found = self.run_as(["User=0x0", "User=4324"], ["0x0:x:4321:4322::/:/bin/sh", "4324:x:4323:4323::/:/bin/sh"])
        self.assertIn(found["User=0x0"], (None, "4321 4322 4322"))
        self.assertIn(found["User=4324"], (None, "4323 4323 4323"))  # its name, and no number

    def test_CVE_2024_40635_a_number_that_does_not_fit_never_becomes_root(self):
        numbers = ("4294967296", "8589934592", "18446744073709551616", "36893488147419103232", "-2147483648")
        settings = [f"{key}={number}" for key in ("User", "Group", "SupplementaryGroups") for number in numbers]
        settings += ["User=2147483648:0", "User=0:4294967296"]
        self.assertEqual(self.run_as(settings), dict.fromkeys(settings))
        # The largest signed one and the next are numbers as others are.
        big = [f"u{n}:x:{n}:{n}::/:/bin/sh" for n in (2147483647, 2147483648, 4294967294)]
        for number in (2147483647, 2147483648, 4294967294):
            found = self.run_as([f"User={number}"], big)
            self.assertEqual(found, {f"User={number}": f"{number} {number} {number}"})


class Exec(HygieneTest):
    def test_CVE_2024_21626_no_descriptor_of_pid_1_leads_out_of_a_new_root(self):
        numbers = range(3, 40)
        units = {}
        for n in numbers:
            for name, folder in ((f"p{n}", f"/proc/self/fd/{n}"), (f"l{n}", f"/link{n}")):
                units[f"{name}.service"] = (f"[Service]\nType=oneshot\nRootDirectory=@work@/root\nWorkingDirectory={folder}\n"
                                            f"ExecStart=/probe /said/{name}\n")
        system = self.boot(units, setup=[
            "mkdir -p @work@/root/proc @work@/root/said", f"cp {self.probe} @work@/root/probe",
            "mount --bind /proc @work@/root/proc",
            f"for n in $(seq {numbers[0]} {numbers[-1]}); do ln -s /proc/self/fd/$n @work@/root/link$n; done"])
        for unit in units:
            with self.subTest(unit=unit):
                self.assertNotEqual(system.cli("start", unit)[0], 0)
                self.assertEqual(system.show(unit, "ExecMainStatus"), "200")
                self.assertIsNone(system.read("root/said/" + unit.removesuffix(".service")))


    def test_CVE_2019_5736_no_service_is_given_a_descriptor_of_pid_1s_binary(self):
        # The kernel refuses to write to a binary that runs; what stays open outlives that.
        for kind in ({}, {"refuses": ("close_range", "ENOSYS")}):
            with self.subTest(**kind):
                given = [os.open(ONSET, flags) for flags in (os.O_RDONLY, os.O_PATH)]
                try:
                    seen = self.account(popen={"pass_fds": given}, **kind)
                finally:
                    for fd in given:
                        os.close(fd)
                self.assertEqual([key for key in seen if key.startswith("fd ")], ["fd 0", "fd 1", "fd 2"])
                for n in range(3):
                    self.assertNotEqual(seen[f"fd {n}"][0].split(" mode=")[0], os.path.realpath(ONSET))

    def test_CVE_2019_5736_pid_1_keeps_no_descriptor_of_its_binary(self):
        system = self.boot({"a.service": f"[Service]\nExecStart={STAY}\n"})
        self.ok(system, "start", "a.service")
        self.ok(system, "daemon-reload")
        binary = os.stat(f"/proc/{system.pid()}/exe")
        folder = f"/proc/{system.pid()}/fd"
        held = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)
                if os.path.samestat(os.stat(f"{folder}/{fd}"), binary)]
        self.assertEqual(held, [])


class Mounts(OnsetSystemTest):
    def test_CVE_2021_33910_a_mount_below_a_path_longer_than_the_stack_harms_nothing(self):
        # A path that takes 400 KB in /proc/self/mountinfo; none of the calls has it whole.
        dig = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.mkdir("/run/deep")
os.chdir("/run/deep")
for _ in range(2000):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
assert libc.mount(b"none", b".", b"tmpfs", 0, None) == 0, os.strerror(ctypes.get_errno())
assert max(map(len, open("/proc/self/mountinfo"))) > 300000
"""
        names = [f"s{i}.service" for i in range(20)]
        system = self.boot({name: f"[Service]\nExecStart={STAY}\n" for name in names},
                           setup=["@python@ @work@/dig.py", SMALL_STACK], work={"dig.py": dig})
        for _ in range(3):
            self.ok(system, "start", *names)
            self.ok(system, "stop", *names)
        self.ok(system, "daemon-reload")
        self.assertEqual(system.state(), "running")
        self.assertEqual(system.leave(), 0)


class Pager(OnsetSystemTest):
    def test_CVE_2023_26604_no_pager_runs_whatever_the_environment_says(self):
        system = self.boot({"a.service": "".join(f"# {i}\n" for i in range(500)) + f"[Service]\nExecStart={STAY}\n"})
        folder = system.path("bin")
        os.mkdir(folder)
        for name in ("less", "more", "pager", "most", "sh"):
            with open(os.path.join(folder, name), "w") as file:
                file.write(f"#!/bin/dash\necho {name} >> {system.work}/said\n")
            os.chmod(file.name, 0o755)
        pager = os.path.join(folder, "less")
        env = {**ENVIRONMENT, "PATH": f"{folder}:{ENVIRONMENT['PATH']}", "SYSTEMD_UNIT_PATH": system.units,
               "PAGER": pager, "SYSTEMD_PAGER": pager, "LESS": "FRSXMK", "SYSTEMD_LESS": "FRSXMK",
               "SYSTEMD_PAGERSECURE": "0", "LESSOPEN": f"|{pager} %s", "TERM": "xterm", "COLUMNS": "80", "LINES": "5"}
        self.ok(system, "start", "a.service")
        for line in (["status"], ["status", "a.service"], ["list-units", "--all"], ["show", "a.service"],
                     ["cat", "a.service"], ["list-unit-files"], ["list-dependencies", "a.service"], ["--help"]):
            process = Process(system.inside_line([ONSET, *line]), depth=0, terminal=True, env=env)
            self.addCleanup(process.end)
            self.assertTrue(process.terminal.rest(), line)
            self.assertEqual(process.wait(), 0, line)
        self.assertEqual(system.said(), [])


class Table(unittest.TestCase):
    CVE = re.compile(r"CVE[-_](\d{4})[-_](\d{4,})")

    def flaws_of_tests(self):
        """Name → the CVEs in it, of every test in the repository."""
        found = {}
        for folder, _, files in os.walk(os.path.join(ROOT, "tests")):
            for file in files:
                if not file.endswith(("_test.py", "_test.cpp")):
                    continue
                with open(os.path.join(folder, file)) as source:
                    text = source.read()
                for name in re.findall(r"def (test_\w+)\(|TEST_CASE\(\s*\"([^\"]+)\"", text):
                    name = "".join(name)
                    found[name] = {"CVE-" + "-".join(number) for number in self.CVE.findall(name)}
        return found

    def test_the_table_of_flaws_names_each_test_that_there_is_and_no_other(self):
        with open(os.path.join(ROOT, "docs", "testing.md")) as file:
            chapter = re.search(r"^## Flaws of other systems\n(.*?)(?=^## |\Z)", file.read(), re.M | re.S)[1]
        tests = self.flaws_of_tests()
        told = set()
        for row in re.findall(r"^\| (CVE-\S+) \|(.*)\|$", chapter, re.M):
            cve, cells = row[0], row[1].split("|")
            self.assertEqual(len(cells), 3, cve)
            names = re.findall(r"`([^`]+)`", cells[2])
            self.assertTrue(names or cells[2].strip() == "none", f"{cve}: a test, or none")
            for name in names:
                self.assertIn(name, tests)
                self.assertIn(cve, tests[name])
                told.add(name)
        self.assertEqual({name for name, cves in tests.items() if cves} - told, set())


if __name__ == "__main__":
    unittest.main()
