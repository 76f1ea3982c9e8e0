"""Daemons of Debian's packages under onset as PID 1, from the unit files those packages ship.

One root with all of them, made by tools/debian-root and kept under the build folder; the tests
see a view of it that is forgotten at the end. One boot for all tests, and then its shutdown:
once with cgroups, once where there are none and onset follows processes.
"""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import ENVIRONMENT, ONSET, ROOT, Process, children_of, until

PACKAGES = ["nginx", "redis-server", "redis-tools", "memcached", "cron", "postgresql", "dbus", "rsyslog"]
SERVICES = ["nginx", "redis-server", "memcached", "cron", "postgresql@15-main"]
# Whose unit files are read, and may say nothing that onset takes for an error.
# rsyslog.service requires a socket that the package systemd has, others call kill(1).
VERIFIED = ["nginx", "nginx-common", "redis-server", "memcached", "cron", "openssh-server",
            "rsyslog", "haproxy", "postgresql-common", "unbound", "dnsmasq"]
NEEDED = [*VERIFIED, "systemd", "procps"]
BUILD = os.environ.get("ONSET_BUILD_DIR") or os.path.join(ROOT, "build")
BOOT = 120  # seconds: five daemons on a busy machine
FETCH = 600  # and for the packages on the way to it

# "$1" the lower root, "$2" a folder for this run, "$3" the name of its cgroup
STAGE = r"""
source "$ONSET_ROOT/tools/lib.sh"
lower=$1 work=$2 name=$3
shift 3
root=$work/root
sanitizer=(${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} ${UBSAN_OPTIONS:+"UBSAN_OPTIONS=$UBSAN_OPTIONS"})
mount_root "$lower" "$root" >&2
fit_root "$root" >&2
install -D -m 755 "$ONSET" "$root/usr/local/bin/onset"
if [[ ${ONSET_SANITIZER_REPORTS:-} ]]; then  # it is not static, and reports to a folder
  for library in $(ldd "$ONSET" | grep -o '/[^ ]*'); do
    [[ -e $root$library ]] || cp -L "$library" "$root$library"
  done
  mkdir -p "$root$ONSET_SANITIZER_REPORTS"
  mount --bind "$ONSET_SANITIZER_REPORTS" "$root$ONSET_SANITIZER_REPORTS"
fi
"""
# That the cluster of postgresql is started is the work of postgresql-common's generator.
BOOT_IT = STAGE + r"""
group=${name:+$(make_cgroup "$work/cgroup" "$name")}
boot_root "$root" "$group" /usr/bin/env "${sanitizer[@]}" /usr/local/bin/onset init "$@"
"""
# As dpkg unpacks: what is a link to a folder in the root stays one.
VERIFY = STAGE + r"""
for package in "$work"/unpacked/*/; do
  tar -C "$package" -c . | tar -C "$root" -x --keep-directory-symlink
done
exec chroot "$root" /usr/local/bin/onset verify --json "$@"
"""
REMOVE_CGROUP = r"""
source "$ONSET_ROOT/tools/lib.sh"
group=$(make_cgroup "$1" "$2.gone") && remove_cgroup "$group"
remove_cgroup "$1/$2"
"""


def staged(script, *arguments):
    """The command that runs a piece of bash in a mount namespace of its own."""
    return ["unshare", "--mount", "--propagation", "private", "bash", "-euc", script, "bash",
            *arguments]


STAGE_ENVIRONMENT = {**ENVIRONMENT, "ONSET": ONSET, "ONSET_ROOT": ROOT, "ONSET_BUILD_DIR": BUILD,
                     "container": "onset-test"}
SANITIZER = [f"{name}={os.environ[name]}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ]


def kept_root():
    line = [os.path.join(ROOT, "tools", "debian-root"), "--kept", "all-daemons", *PACKAGES]
    made = subprocess.run(line, env=STAGE_ENVIRONMENT, stdout=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, timeout=FETCH, check=True)
    return made.stdout.strip()


class Daemons:
    """The system that runs them."""

    def __init__(self, cgroups):
        self.work = tempfile.mkdtemp(prefix="onset-daemons-")
        self.name = "onset-test-" + os.path.basename(self.work) if cgroups else ""
        self.console = os.path.join(self.work, "console")
        self.process = None
        try:
            with open(self.console, "wb") as console:
                self.process = Process(
                    staged(BOOT_IT, kept_root(), self.work, self.name), depth=1,
                    env=STAGE_ENVIRONMENT, stdout=console, stderr=subprocess.STDOUT)
            self.pid1 = until(self._pid1, "onset is PID 1", BOOT)
            until(lambda: self.state() not in ("", "offline"), "the control socket answers", BOOT)
            self.booted = self.onset("is-system-running", "--wait", seconds=BOOT).stdout.strip()
        except BaseException:
            print(self.log())
            self.end()
            raise

    def _pid1(self):
        if self.process.popen.poll() is not None:
            raise AssertionError("it ended before it had begun:\n" + self.log())
        for child in children_of(self.process.popen.pid):
            try:
                with open(f"/proc/{child}/comm") as comm:
                    if comm.read().strip() == "onset":
                        return child
            except (FileNotFoundError, ProcessLookupError):
                continue  # one of the shell's steps on the way
        return None

    def log(self):
        with open(self.console, errors="replace") as file:
            return file.read()

    def inside(self, *argv, seconds=60):
        """Runs a program there; its end is a CompletedProcess with text."""
        line = ["nsenter", "--target", str(self.pid1), "--mount", "--uts", "--ipc", "--net",
                "--pid", "--cgroup", "--root", "--wd", "--", "/usr/bin/env", "-i",
                "PATH=" + ENVIRONMENT["PATH"], "LC_ALL=C", *SANITIZER, *argv]
        return subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds)

    def onset(self, *arguments, seconds=60):
        return self.inside("onset", *arguments, seconds=seconds)

    def state(self):
        return self.onset("is-system-running").stdout.strip()

    def show(self, unit, name):
        return self.onset("show", "--value", "--property", name, unit).stdout.strip()

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID") or 0)

    def kill(self, unit):
        """Kills the main process; its PID as it was."""
        old = self.main_pid(unit)
        self.inside("sh", "-c", f"kill -KILL {old}")
        return old

    def processes(self, name):
        """The /proc/PID/comm of those with this name."""
        found = self.inside("sh", "-c", 'grep -slx "$1" /proc/[0-9]*/comm', "sh", name)
        return found.stdout.split()

    def ask(self, port, request):
        """What a server on this port answers to one request."""
        talk = 'exec 3<>/dev/tcp/127.0.0.1/$1; printf %b "$2" >&3; timeout 20 cat <&3'
        return self.inside("bash", "-c", talk, "bash", str(port), request).stdout

    def has_cgroup(self):
        return self.inside("test", "-e", "/sys/fs/cgroup/cgroup.procs").returncode == 0

    def end(self):
        if self.process:
            self.process.end()
        if self.name:
            subprocess.run(staged(REMOVE_CGROUP, os.path.join(self.work, "cgroup"), self.name),
                           env=STAGE_ENVIRONMENT, check=False)
        shutil.rmtree(self.work, ignore_errors=True)


@unittest.skipIf(os.geteuid() != 0, "a root of packages needs root")
class DaemonsWithCgroupsTest(unittest.TestCase):
    cgroups = True

    @classmethod
    def setUpClass(cls):
        cls.daemons = Daemons(cls.cgroups)
        cls.addClassCleanup(cls.daemons.end)

    def assert_active(self, unit):
        if self.daemons.onset("is-active", unit).stdout.strip() != "active":
            self.fail(self.daemons.onset("status", unit).stdout + self.daemons.log())

    def until_another_main_process(self, unit, old):
        until(lambda: self.daemons.main_pid(unit) not in (0, old)
              and self.daemons.onset("is-active", unit).returncode == 0,
              f"{unit} runs again with another main process")

    def test_processes_are_found_as_the_machine_allows(self):
        has_cgroup = self.cgroups and self.daemons.has_cgroup()
        text = self.daemons.onset("status").stdout
        self.assertIn("CGroup: /" if has_cgroup else "Processes: found by process tree", text)
        self.assertRegex(text, "─nginx.service\n")

    def test_the_boot_ends_well(self):
        if self.daemons.booted != "running":
            self.fail(self.daemons.booted + "\n" + self.daemons.onset("list-units", "--failed").stdout +
                      self.daemons.log())

    def test_all_five_are_active_from_the_files_of_their_packages(self):
        for service in SERVICES:
            with self.subTest(service):
                self.assert_active(service + ".service")
                path = self.daemons.show(service + ".service", "FragmentPath")
                self.assertRegex(path, r"^(/usr)?/lib/systemd/system/")

    def test_nginx_serves_its_page(self):
        answer = self.daemons.ask(80, r"GET / HTTP/1.0\r\n\r\n")
        self.assertRegex(answer, r"^HTTP/1.1 200 OK")
        self.assertIn("Welcome to nginx", answer)

    def test_redis_answers_a_ping(self):
        self.assertEqual(self.daemons.inside("redis-cli", "ping").stdout, "PONG\n")

    def test_memcached_tells_its_version(self):
        self.assertRegex(self.daemons.ask(11211, r"version\r\nquit\r\n"), r"^VERSION 1\.")

    def test_cron_is_the_main_process_of_its_service(self):
        written = self.daemons.inside("cat", "/run/crond.pid").stdout.strip()
        self.assertEqual(written, str(self.daemons.main_pid("cron.service")))

    def test_postgresql_answers_a_query_of_its_owner(self):
        answer = self.daemons.inside("runuser", "-u", "postgres", "--", "psql", "-tAc", "SELECT 1")
        self.assertEqual((answer.stdout, answer.stderr), ("1\n", ""))

    def list_names(self):
        return self.daemons.inside("dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/",
                                   "org.freedesktop.DBus.ListNames")

    def test_the_bus_is_started_by_whoever_speaks_to_its_socket(self):
        self.assertEqual(self.daemons.show("dbus.socket", "ActiveState"), "active")
        self.daemons.onset("stop", "dbus.service")
        self.assertEqual(self.daemons.show("dbus.socket", "SubState"), "listening")
        answer = self.list_names()
        self.assertIn('string "org.freedesktop.DBus"', answer.stdout, answer.stderr)
        self.assert_active("dbus.service")
        self.assertEqual(self.daemons.show("dbus.socket", "SubState"), "running")
        self.assertEqual(self.daemons.show("dbus.service", "TriggeredBy"), "dbus.socket")

    def test_rsyslog_reads_dev_log_which_its_socket_unit_has_made(self):
        self.assert_active("rsyslog.service")
        self.assertEqual(self.daemons.show("syslog.socket", "Listen"), "/dev/log (Datagram)")
        self.assertEqual(self.daemons.inside("logger", "-t", "onset-test", "a line").returncode, 0)
        until(lambda: "onset-test: a line" in self.daemons.inside("cat", "/var/log/syslog").stdout,
              "the line is in the log")

    def test_a_killed_redis_is_restarted_as_its_unit_asks(self):
        self.assertEqual(self.daemons.show("redis-server.service", "Restart"), "always")
        before = int(self.daemons.show("redis-server.service", "NRestarts"))
        old = self.daemons.kill("redis-server.service")
        self.until_another_main_process("redis-server.service", old)
        self.assertEqual(int(self.daemons.show("redis-server.service", "NRestarts")), before + 1)
        self.assertEqual(self.daemons.inside("redis-cli", "ping").stdout, "PONG\n")

    def test_a_killed_nginx_fails_with_its_workers_and_starts_when_asked(self):
        self.assertEqual(self.daemons.show("nginx.service", "Restart"), "no")
        self.assertGreater(len(self.daemons.processes("nginx")), 1)
        self.daemons.kill("nginx.service")
        until(lambda: self.daemons.show("nginx.service", "ActiveState") == "failed", "nginx has failed")
        self.assertEqual(self.daemons.show("nginx.service", "Result"), "signal")
        until(lambda: not self.daemons.processes("nginx"), "its workers are gone")
        self.assertEqual(self.daemons.onset("start", "nginx").returncode, 0)
        self.assert_active("nginx.service")
        self.assertIn("200 OK", self.daemons.ask(80, r"GET / HTTP/1.0\r\n\r\n"))

    def test_a_reload_of_nginx_keeps_its_main_process(self):
        self.assert_active("nginx.service")
        old = self.daemons.main_pid("nginx.service")
        reloaded = self.daemons.onset("reload", "nginx")
        self.assertEqual((reloaded.returncode, reloaded.stderr), (0, ""))
        self.assertEqual(self.daemons.main_pid("nginx.service"), old)
        self.assertIn("200 OK", self.daemons.ask(80, r"GET / HTTP/1.0\r\n\r\n"))

    def test_a_stop_of_postgresql_takes_its_cluster_along(self):
        self.assert_active("postgresql@15-main.service")
        self.assertEqual(self.daemons.onset("stop", "postgresql").returncode, 0)
        # PartOf= alone: the stop goes on when the command has ended.
        until(lambda: self.daemons.show("postgresql@15-main.service", "ActiveState") == "inactive",
              "the cluster is stopped")
        self.assertEqual(self.daemons.show("postgresql@15-main.service", "Result"), "success")
        self.assertEqual(self.daemons.onset("start", "postgresql").returncode, 0)
        self.assert_active("postgresql@15-main.service")

    def test_poweroff_stops_all_in_order_and_ends_with_exit_code_0(self):
        self.assertEqual(self.daemons.onset("poweroff").stderr, "")
        self.assertEqual(self.daemons.process.wait(60), 0, self.daemons.log())
        # A cluster is ordered before postgresql.service, and so stopped after it.
        log = self.daemons.log()
        self.assertNotIn("took too long", log)
        stopped = [log.rfind(f"\n{unit}: stopped ") for unit in
                   ("postgresql.service", "postgresql@15-main.service", "sysinit.target")]
        self.assertNotIn(-1, stopped, log)
        self.assertEqual(stopped, sorted(stopped), log)


class DaemonsWithoutCgroupsTest(DaemonsWithCgroupsTest):
    cgroups = False


def load_tests(loader, _standard, _pattern):
    """The shutdown comes when the others are done."""
    loader.sortTestMethodsUsing = lambda one, other: (
        (one.startswith("test_poweroff"), one) > (other.startswith("test_poweroff"), other)) * 2 - 1
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in
                              (DaemonsWithCgroupsTest, DaemonsWithoutCgroupsTest, PackagedUnitsTest))


@unittest.skipIf(os.geteuid() != 0, "a root of packages needs root")
class PackagedUnitsTest(unittest.TestCase):
    def test_verify_finds_no_error_in_the_units_of_eleven_packages(self):
        cache = os.path.join(BUILD, "roots", "unpacked")
        missing = [name for name in NEEDED if not os.path.isdir(os.path.join(cache, name))]
        if missing:
            subprocess.run([os.path.join(ROOT, "tools", "debian-root"), "--unpack", cache, *missing],
                           env=STAGE_ENVIRONMENT, stdin=subprocess.DEVNULL, timeout=FETCH, check=True)
        work = tempfile.mkdtemp(prefix="onset-verify-")
        self.addCleanup(shutil.rmtree, work, ignore_errors=True)
        os.mkdir(os.path.join(work, "unpacked"))
        units = []
        for name in NEEDED:
            os.symlink(os.path.join(cache, name), os.path.join(work, "unpacked", name))
        for name in VERIFIED:
            for folder in ("lib/systemd/system", "usr/lib/systemd/system"):
                here = os.path.join(cache, name, folder)
                if os.path.isdir(here):
                    units += [f"/{folder}/{unit}" for unit in sorted(os.listdir(here))
                              if os.path.isfile(os.path.join(here, unit))]
        self.assertGreater(len(units), 15)
        found = subprocess.run(staged(VERIFY, kept_root(), work, "none", *units), stdout=subprocess.PIPE,
                               env=STAGE_ENVIRONMENT, stdin=subprocess.DEVNULL, text=True, timeout=120)
        errors = [f"{d['file']}:{d['line']}: {d['message']}" for d in json.loads(found.stdout)
                  if d["severity"] == "error"]
        self.assertEqual(errors, [], "\n".join(errors))


if __name__ == "__main__":
    unittest.main()
