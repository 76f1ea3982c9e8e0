"""Limits where nobody can enforce them (fault P19): the unit runs, and what it does without is
named: once in the log, in status and in show."""

import unittest

from manager_harness import OnsetSystemTest

LIMITED = """[Service]
ExecStart=/bin/sleep 1000
MemoryMax=10M
TasksMax=5
CPUWeight=30
DevicePolicy=closed
"""
PLAIN = "[Service]\nExecStart=/bin/sleep 1000\n"
TARGET = "[Unit]\nDefaultDependencies=no\nWants=limited.service plain.service\n"


class NotEnforced(OnsetSystemTest):
    def look(self, reason, **kind):
        system = self.boot({"main.target": TARGET, "limited.service": LIMITED, "plain.service": PLAIN}, **kind)
        self.assertEqual(system.show("limited.service", "ActiveState"), "active")
        told = system.show("limited.service", "NotEnforced")
        for setting, controller in (("MemoryMax", "memory"), ("TasksMax", "pids"), ("CPUWeight", "cpu")):
            self.assertIn(f"{setting}= not enforced ({reason.format(controller)})", told)
        self.assertIn("MemoryMax= not enforced", system.cli("status", "limited.service")[1])
        self.assertEqual(system.show("plain.service", "NotEnforced"), "")
        self.assertEqual(system.cli("restart", "limited.service"), (0, "", ""))
        self.assertEqual(system.log().count("MemoryMax= is not enforced"), 1)
        return system

    def test_P19_without_cgroups(self):
        system = self.look("no cgroup v2")
        self.assertIn("DevicePolicy= not enforced (no cgroup v2)", system.show("limited.service", "NotEnforced"))

    def test_P19_in_cgroups_without_controllers(self):
        self.look("no {} controller", cgroup=True)


class Scheduling(OnsetSystemTest):
    def test_a_service_is_scheduled_as_it_says(self):
        unit = ("[Service]\nType=oneshot\nRemainAfterExit=yes\nNice=4\nCPUSchedulingPolicy=batch\nCPUAffinity=0\n"
                "TimerSlackNSec=3ms\nIOSchedulingClass=best-effort\nIOSchedulingPriority=6\n"
                "ExecStart=@python@ -c 'import os; print(os.nice(0), os.sched_getscheduler(0), os.sched_getaffinity(0), "
                "open(\"/proc/self/timerslack_ns\").read(), file=open(\"@work@/seen\", \"w\"))'\n")
        system = self.boot({"main.target": TARGET, "limited.service": unit, "plain.service": PLAIN})
        self.assertEqual(system.show("limited.service", "ActiveState"), "active")
        with open(system.path("seen")) as file:
            self.assertEqual(file.read().split(), ["4", "3", "{0}", "3000000"])

    def test_what_can_not_be_had_ends_with_its_own_status(self):
        units = {f"{name}.service": f"[Service]\nType=oneshot\nExecStart=/bin/true\n{setting}\n"
                 for name, setting in (("cpus", "CPUAffinity=4000"), ("plain", "Nice=1"))}
        system = self.boot({"main.target": "[Unit]\nDefaultDependencies=no\n", **units})
        self.assertEqual(system.cli("start", "cpus.service")[0], 1)
        self.assertEqual(system.show("cpus.service", "ExecMainStatus"), "215")
        self.assertEqual(system.cli("start", "plain.service")[0], 0)


if __name__ == "__main__":
    unittest.main()
