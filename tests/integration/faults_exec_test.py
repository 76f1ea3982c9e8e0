"""What a service finds when it starts, by its own account (tests/support/probe.c);
a test's name begins with the fault's id."""

import os
import unittest

from harness import ORDINARY_UID
from manager_harness import OnsetSystemTest


class HygieneTest(OnsetSystemTest):
    def setUp(self):
        self.probe = self.build("probe")

    def account(self, *lines, **kind):
        """What the probe tells, as key → list of values."""
        system = self.boot({"a.service": "\n".join(["[Service]", "Type=oneshot", *lines,
                                                    f"ExecStart={self.probe} @work@/account"]) + "\n"}, **kind)
        self.ok(system, "start", "a.service")
        found = {}
        for line in system.read("account").splitlines():
            key, value = line.split(":", 1)
            found.setdefault(key, []).append(value.strip())
        return found


class Hygiene(HygieneTest):
    def test_E1_only_the_three_standard_streams_are_open(self):
        for kind in ({}, {"closed_streams": True}, {"pid1": False}):
            with self.subTest(**kind):
                seen = self.account(**kind)
                self.assertEqual([key for key in seen if key.startswith("fd ")], ["fd 0", "fd 1", "fd 2"])
                self.assertEqual(seen["fd 0"], ["/dev/null mode=0"])
                self.assertEqual(seen["cwd"], ["/"])

    def test_E1_a_closed_stream_of_pid_1_hands_none_of_its_own_descriptors_on(self):
        seen = self.account("StandardOutput=journal", "StandardError=journal", closed_streams=True)
        for fd in ("fd 1", "fd 2"):
            self.assertTrue(seen[fd][0].startswith("/dev/null "), seen[fd])
        seen = self.account("StandardOutput=journal", closed_streams=True, no_dev=True)
        self.assertTrue(seen["fd 1"][0].startswith("pipe:"), seen["fd 1"])

    def test_E1_descriptors_that_pid_1_inherited_are_not_handed_on(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        seen = self.account(popen={"pass_fds": (reading, writing)})
        self.assertEqual([key for key in seen if key.startswith("fd ")], ["fd 0", "fd 1", "fd 2"])

    def test_E2_no_signal_is_blocked_and_only_pipe_is_ignored(self):
        self.assertEqual(self.account()["blocked"], [""])
        self.assertEqual(self.account()["ignored"], ["13"])  # IgnoreSIGPIPE=yes is the default
        self.assertEqual(self.account("IgnoreSIGPIPE=no")["ignored"], [""])

    def test_E3_what_a_process_inherits_is_the_defaults(self):
        seen = self.account(env={"SECRET_OF_PID_1": "x"})
        self.assertEqual(seen["umask"], ["0022"])
        self.assertEqual(seen["ctty"], ["no"])
        self.assertEqual(seen["nice"], [str(os.getpriority(os.PRIO_PROCESS, 0))])
        self.assertEqual(seen["oom_score_adj"], ["0"])
        self.assertEqual(seen["session"], seen["pid"])
        self.assertEqual(seen["group"], seen["pid"])
        self.assertEqual(seen["ppid"], ["1"])
        self.assertEqual(seen["uids"], ["0 0 0"])
        self.assertEqual(seen["groups"], [""])

    def test_E3_no_controlling_terminal_comes_from_the_console(self):
        seen = self.account(terminal=True)
        self.assertEqual(seen["ctty"], ["no"])

    def test_E4_rights_are_given_up_in_the_one_order_that_holds(self):
        system = self.boot({"a.service": f"[Service]\nType=oneshot\nUser={ORDINARY_UID}\nGroup={ORDINARY_UID}\n"
                                         "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
                                         "AmbientCapabilities=CAP_NET_BIND_SERVICE\nNoNewPrivileges=yes\n"
                                         "ExecStart=/bin/true\n"},
                           traces="setgroups,setresgid,setresuid,capset,prctl,close_range,execve")
        self.ok(system, "start", "a.service")
        steps = ("setgroups(", "PR_CAPBSET_DROP", "setresgid(", "setresuid(", "capset(", "PR_CAP_AMBIENT_RAISE",
                 "close_range(", "PR_SET_NO_NEW_PRIVS", "execve(\"/bin/true\"")
        lines = [line.split(maxsplit=1) for line in system.read("trace").splitlines()]
        child = next(pid for pid, call in lines if call.startswith(steps[-1]))
        calls = [call for pid, call in lines if pid == child]
        first = [next(i for i, call in enumerate(calls) if step in call) for step in steps]
        self.assertEqual(first, sorted(first), "\n".join(calls))
        # Full rights come back between the change of user and the last capset, and not after.
        self.assertNotIn("setres", "".join(calls[first[4]:]))

    def test_E5_each_step_that_fails_has_its_own_status_and_nothing_is_executed(self):
        steps = {"200": "WorkingDirectory=/nowhere", "216": "Group=no-such-group", "217": "User=no-such-user",
                 "209": "StandardOutput=file:/nowhere/x", "208": "StandardInput=file:/nowhere/x",
                 "210": "RootDirectory=/nowhere"}
        units = {f"s{status}.service": f"[Service]\nType=oneshot\n{line}\nExecStart=/bin/sh -c 'echo ran >> @work@/said'\n"
                 for status, line in steps.items()}
        units["s203.service"] = "[Service]\nType=oneshot\nExecStart=/etc/passwd\n"
        system = self.boot(units)
        for status in [*steps, "203"]:
            with self.subTest(status=status):
                self.assertEqual(system.cli("start", f"s{status}.service")[0], 1)
                self.assertEqual(system.show(f"s{status}.service", "ExecMainStatus"), status)
        self.assertEqual(system.said(), [])

    def test_E6_isolation_that_is_not_there_never_passes_in_silence(self):
        system = self.boot({"a.service": "[Service]\nType=oneshot\nPrivateNetwork=yes\nProtectSystem=strict\n"
                                         "ExecStart=/bin/sh -c 'echo ran >> @work@/said'\n"})
        code, _, err = system.cli("start", "a.service")
        text = system.log() + err
        if code == 0:
            for name in ("PrivateNetwork", "ProtectSystem"):
                self.assertIn(name, text)
        else:
            self.assertEqual(system.said(), [])

    def test_E9_a_service_of_an_ordinary_user_cannot_touch_pid_1_through_proc(self):
        script = "for way in 'cat /proc/1/fd/0' 'ls /proc/1/fd' 'readlink /proc/1/exe' 'cat /proc/1/environ'; do " \
                 "$$way >/dev/null 2>&1 && echo $$way >> @work@/said; done; " \
                 "(: >>/proc/1/exe) 2>/dev/null && echo wrote >> @work@/said; echo tried >> @work@/said"
        system = self.boot({"a.service": f"[Service]\nType=oneshot\nUser={ORDINARY_UID}\n"
                                         f"ExecStart=/bin/sh -c \"{script}\"\n"})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["tried"])

    def test_E9_CVE_2019_5736_a_root_service_cannot_overwrite_the_running_pid_1(self):
        # By its name in /proc, and by a descriptor that is opened once more.
        script = "for way in /proc/1/exe /proc/self/fd/9; do (: >>$$way) 2>/dev/null && echo wrote >> @work@/said; " \
                 "done 9</proc/1/exe; echo tried >> @work@/said"
        system = self.boot({"a.service": f"[Service]\nType=oneshot\nExecStart=/bin/sh -c \"{script}\"\n"})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["tried"])

    def test_E7_CVE_2022_27650_no_capability_is_inheritable(self):
        for kind in ({}, {"inheritable": True}):
            with self.subTest(**kind):
                self.no_capability_is_inheritable(**kind)

    def no_capability_is_inheritable(self, **kind):
        whole = self.account(**kind)
        self.assertEqual((whole["inheritable"], whole["ambient"]), (["0"], ["0"]))
        user = self.account(f"User={ORDINARY_UID}", **kind)
        for name in ("effective", "permitted", "inheritable", "ambient"):
            self.assertEqual(user[name], ["0"])
        self.assertEqual(user["uids"], [f"{ORDINARY_UID} {ORDINARY_UID} {ORDINARY_UID}"])
        bound = self.account("CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "NoNewPrivileges=yes", **kind)
        self.assertEqual((bound["bounding"], bound["no_new_privs"]), (["400"], ["1"]))
        given = self.account(f"User={ORDINARY_UID}", "AmbientCapabilities=CAP_NET_BIND_SERVICE", **kind)
        self.assertEqual((given["ambient"], given["effective"]), (["400"], ["400"]))


if __name__ == "__main__":
    unittest.main()
