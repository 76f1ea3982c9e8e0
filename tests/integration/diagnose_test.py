"""`onset diagnose`: what keeps a unit from going on, seen in processes that really wait."""

import json
import os
import unittest

from harness import until
from manager_harness import OnsetSystemTest, cgroups_can_be_made

# Takes its own lock, tells the other, waits to be told, and asks for the other's.
LOCKER = """[Service]
ExecStart=@python@ -S -E -c "import fcntl,os; \\
  own = open('@work@/{own}.lock', 'w'); fcntl.flock(own, fcntl.LOCK_EX); \\
  tell = os.open('@work@/{own}.told', os.O_RDWR); os.write(tell, b'x'); \\
  os.read(os.open('@work@/{other}.told', os.O_RDWR), 1); \\
  other = open('@work@/{other}.lock', 'r+'); fcntl.{how}(other, fcntl.LOCK_EX)"
"""
FIFOS = ["mkfifo -m 0666 @work@/a.told @work@/b.told @work@/never", "touch @work@/a.lock @work@/b.lock"]


class Diagnose(OnsetSystemTest):
    def diagnosis(self, system, unit, condition):
        """Once it fulfils the condition: the processes are on their way there."""
        found = {}

        def look():
            status, out, err = system.cli("diagnose", unit, "--json=short")
            self.assertEqual((status, err), (0, ""))
            found.update(json.loads(out)[0])
            return condition(found)

        until(look, f"a diagnosis of {unit}")
        return found

    def pid(self, system, unit):
        """As those inside have it."""
        return int(system.show(unit, "MainPID"))

    def boot_lockers(self, how):
        units = {f"{own}.service": LOCKER.format(own=own, other=other, how=how) for own, other in ("ab", "ba")}
        system = self.boot(units, setup=FIFOS)
        self.ok(system, "start", "a.service", "b.service")
        return system

    def test_two_services_that_wait_for_each_others_flock_are_a_deadlock(self):
        system = self.boot_lockers("flock")
        a, b = self.pid(system, "a.service"), self.pid(system, "b.service")
        found = self.diagnosis(system, "a.service", lambda d: d["deadlocks"])
        ring = found["deadlocks"][0]
        self.assertEqual(sorted(link["who"] for link in ring), sorted([a, b]))
        other = system.path("b.lock")
        link = next(link["text"] for link in ring if link["who"] == a)
        self.assertRegex(link, rf"^{a} \(python.*\) waits for the write lock of {other}, which {b} \(python.*\) has$")
        wait = next(wait for wait in found["waits"] if wait["waiter"] == a)
        self.assertEqual((wait["kind"], wait["mode"], wait["file"]), ("flock", "write", other))
        self.assertEqual([h["pid"] for h in wait["holders"]], [b])
        status, out, _ = system.cli("diagnose", "a.service", "b.service")
        self.assertEqual(status, 0)
        self.assertEqual(out.count("Deadlock: none of these will ever go on:"), 2)

    def test_one_that_waits_for_a_lock_is_no_deadlock(self):
        holder = LOCKER.format(own="a", other="b", how="flock").partition("other = open")[0] + "open('@work@/never')\"\n"
        system = self.boot({"a.service": holder, "b.service": LOCKER.format(own="b", other="a", how="flock")},
                           setup=FIFOS)
        self.ok(system, "start", "a.service", "b.service")
        found = self.diagnosis(system, "b.service", lambda d: d["waits"])
        self.assertEqual(found["deadlocks"], [])
        self.assertEqual(found["waits"][0]["holders"][0]["pid"], self.pid(system, "a.service"))

    def test_threads_that_wait_for_each_others_mutex_are_a_deadlock(self):
        program = self.build("mutexes")
        system = self.boot({"a.service": f"[Service]\nExecStart={program}\nStandardOutput=append:@work@/said\n"})
        self.ok(system, "start", "a.service")
        system.until_said("stuck")
        found = self.diagnosis(system, "a.service", lambda d: d["deadlocks"])
        ring = found["deadlocks"][0]
        self.assertEqual(len(ring), 2)
        threads = found["processes"][0]["threads"]
        self.assertEqual(sorted(link["who"] for link in ring), sorted(t["tid"] for t in threads[1:]))
        self.assertEqual(threads[0]["wait"], {"for": "end", "thread": threads[1]["tid"]})
        self.assertIn("a mutex that", ring[0]["text"])

    def test_what_is_nearly_used_up_and_how_it_ended_is_told(self):
        code = "import os,time; [os.dup(0) for _ in range(30)]; os.write(os.open('@work@/said', os.O_WRONLY | os.O_CREAT | os.O_APPEND), b'up\\\\n'); time.sleep(1e6)"
        system = self.boot({
            "a.service": f"[Service]\nLimitNOFILE=40\nExecStart=@python@ -S -E -c \"{code}\"\n",
            "b.service": "[Service]\nExecStart=/bin/sh -c 'kill -SEGV $$$$'\n",
            "c.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n"})
        self.ok(system, "start", "a.service")
        system.until_said("up")
        limits = self.diagnosis(system, "a.service", lambda d: d["processes"][0]["limits"])["processes"][0]["limits"]
        self.assertEqual((limits[0]["what"], limits[0]["limit"]), ("open files", 40))
        system.cli("start", "b.service", "c.service")
        system.until_state("b.service", "failed")
        _, out, _ = system.cli("diagnose", "b.service", "c.service")
        self.assertRegex(out, r"Last end: the main process \d+ was killed by SIGSEGV")
        self.assertRegex(out, r"Last end: the main process \d+ exited with 1 \(FAILURE\)")
        self.assertEqual(system.cli("diagnose", "nothing.service"),
                         (4, "", "Unit nothing.service could not be found.\n"))


BURNER = "[Service]\nExecStart=@python@ -S -E -c 'while True: pass'\n"


class Top(OnsetSystemTest):
    def test_who_burns_the_processor_stands_first(self):
        for cgroup in [False] + [True] * cgroups_can_be_made():
            with self.subTest(cgroup=cgroup):
                system = self.boot({"idle.service": "[Service]\nExecStart=/bin/sleep infinity\n",
                                    "burner.service": BURNER}, cgroup=cgroup)
                self.ok(system, "start", "idle.service", "burner.service")
                rows = json.loads(self.ok(system, "top", "--json=short", "--delay=300ms"))
                if cgroup:
                    self.assertIn("system.slice", [row["unit"] for row in rows])
                rows = [row for row in rows if row["unit"].endswith(".service")]
                self.assertEqual([row["unit"] for row in rows], ["burner.service", "idle.service"])
                self.assertGreater(rows[0]["cpu_percent"], 5)
                self.assertLess(rows[1]["cpu_percent"], 5)
                self.assertEqual(rows[0]["tasks"], 1)
                self.assertGreater(rows[0]["memory"], 1 << 20)
                text = self.ok(system, "top", "--delay=10ms", "--iterations=2", "--order=name")
                self.assertEqual(text.count(" burner.service\n"), 2)


def measures_pressure():
    return os.path.exists("/proc/pressure/cpu") and cgroups_can_be_made()


@unittest.skipUnless(measures_pressure(), "pressure is not measured here")
class Starvation(OnsetSystemTest):
    def test_a_service_that_starves_for_the_processor_is_told(self):
        many = 2 * os.cpu_count() + 1
        code = f"import os; [os.fork() or exec('while True: pass') for _ in range({many})]; exec('while True: pass')"
        system = self.boot({"hungry.service": f'[Service]\nExecStart=@python@ -S -E -c "{code}"\n',
                            "calm.service": "[Service]\nExecStart=/bin/sleep infinity\n"}, cgroup=True)
        self.ok(system, "start", "hungry.service", "calm.service")
        system.until_logged("hungry.service: starves for CPU: some of it waited ", seconds=60)
        self.assertIn("starves for CPU", self.ok(system, "status", "hungry.service"))
        self.assertNotIn("starves", self.ok(system, "status", "calm.service"))
        self.assertIn("Starves: CPU", self.ok(system, "diagnose", "hungry.service"))
        self.assertNotIn("calm.service: starves", system.log())


if __name__ == "__main__":
    unittest.main()
