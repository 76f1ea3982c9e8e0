"""`onset init` with services that really run: what a unit file promises."""

import os
import signal
import unittest

from harness import ENVIRONMENT, ONSET, ORDINARY_UID, until
from manager_harness import OnsetSystemTest, say

STAY = "/bin/sleep infinity"
# Reacts to TERM by writing its name; $1 is the name.
# Without a child: one that the signal meets before its execve would have the shell's handler, and lose it.
TRAP = "@python@ @support@/trap.py @work@/said {}"


def service(*lines, unit=""):
    head = f"[Unit]\n{unit}\n" if unit else ""
    return head + "[Service]\n" + "\n".join(lines) + "\n"


class Order(OnsetSystemTest):
    def test_after_orders_starts_and_reverses_stops(self):
        def one(name, unit=""):
            return service("Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + say(name + "-start"),
                           "ExecStop=" + say(name + "-stop"), unit=unit)
        system = self.boot({
            "main.target": "[Unit]\nWants=c.service b.service a.service\n",
            "a.service": one("a"),
            "b.service": one("b", "After=a.service"),
            "c.service": one("c", "After=b.service")})
        self.assertEqual(system.state_at_start, "running")
        self.assertEqual(system.said(), ["a-start", "b-start", "c-start"])
        self.assertEqual(system.leave(), 0)
        self.assertEqual(system.said()[3:], ["c-stop", "b-stop", "a-stop"])

    def test_restart_stops_and_starts_reload_leaves_the_process(self):
        system = self.boot({"a.service": service(
            "ExecStart=" + STAY, "ExecStartPost=" + say("started"), "ExecReload=" + say("reloaded $MAINPID"),
            "ExecStop=" + say("stopped"))})
        self.ok(system, "start", "a.service")
        first = system.show("a.service", "MainPID")
        self.ok(system, "reload", "a.service")
        self.assertEqual(system.show("a.service", "MainPID"), first)
        self.ok(system, "restart", "a.service")
        self.assertNotEqual(system.show("a.service", "MainPID"), first)
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.said(), ["started", f"reloaded {first}", "stopped", "started", "stopped"])
        self.assertEqual(system.show("a.service", "ActiveState"), "inactive")
        self.assertEqual(system.show("a.service", "MainPID"), "0")

    def test_a_oneshot_runs_its_commands_in_turn_until_one_fails(self):
        system = self.boot({
            "good.service": service("Type=oneshot", "ExecStartPre=" + say("pre"), "ExecStart=" + say("1"),
                                    "ExecStart=-/bin/false", "ExecStart=" + say("2"), "ExecStartPost=" + say("post")),
            "bad.service": service("Type=oneshot", "ExecStart=" + say("3"), "ExecStart=/bin/false",
                                   "ExecStart=" + say("never"), "ExecStopPost=" + say("cleanup"))})
        self.ok(system, "start", "good.service")
        self.assertEqual(system.said(), ["pre", "1", "2", "post"])
        self.assertEqual(system.show("good.service", "ActiveState"), "inactive")
        self.assertEqual(system.cli("start", "bad.service")[0], 1)
        system.until_state("bad.service", "failed")
        self.assertEqual(system.said()[4:], ["3", "cleanup"])
        self.assertEqual(system.show("bad.service", "Result"), "exit-code")


class Unloading(OnsetSystemTest):
    """systemd.unit(5), UNIT GARBAGE COLLECTION."""

    def listed(self, system):
        status, out, _ = system.cli("list-units", "--all", "--plain", "--no-legend")
        self.assertEqual(status, 0)
        return [line.split()[0] for line in out.splitlines()]

    def test_what_has_ended_and_nothing_names_is_not_kept(self):
        system = self.boot({
            "main.target": "[Unit]\nAfter=named.service\n",
            "named.service": service("Type=oneshot", "ExecStart=" + say("named")),
            "i@.service": service("Type=oneshot", "ExecStart=" + say("%i")),
            "bad.service": service("Type=oneshot", "ExecStart=/bin/false", unit="CollectMode=inactive-or-failed"),
            "worse.service": service("Type=oneshot", "ExecStart=/bin/false")})
        self.ok(system, "start", "named.service", *(f"i@{n}.service" for n in range(20)))
        self.assertEqual(len(system.said()), 21)
        self.assertEqual(system.cli("start", "bad.service", "worse.service")[0], 1)
        listed = self.listed(system)
        self.assertIn("named.service", listed)
        self.assertIn("worse.service", listed)
        self.assertNotIn("bad.service", listed)
        self.assertEqual([name for name in listed if name.startswith("i@")], [])
        self.ok(system, "reset-failed", "worse.service")
        self.assertNotIn("worse.service", self.listed(system))

    def test_a_stopped_service_starts_as_its_file_says_now(self):
        system = self.boot({"a.service": service("Type=oneshot", "ExecStart=" + say("old"))})
        self.ok(system, "start", "a.service")
        system.write({"a.service": service("Type=oneshot", "ExecStart=" + say("new"))})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["old", "new"])

    def test_somebody_who_waits_for_a_unit_hears_of_its_end(self):
        system = self.boot({"a.service": service("ExecStart=/bin/sh -c 'read x < @work@/fifo; exit 3'",
                                                 unit="CollectMode=inactive-or-failed")})
        os.mkfifo(system.path("fifo"))
        waiting = self.start_inside(system, [ONSET, "start", "--wait", "a.service"])
        system.until_state("a.service", "active")
        with open(system.path("fifo"), "w") as fifo:
            fifo.write("go\n")
        self.assertEqual(waiting.wait(20), 1)


class Types(OnsetSystemTest):
    def test_a_forking_service_is_the_process_of_its_pid_file(self):
        system = self.boot({"a.service": service(
            "Type=forking", "PIDFile=@work@/pid",
            "ExecStart=/bin/sh -c 'sleep infinity & echo $! > @work@/pid'")})
        self.ok(system, "start", "a.service")
        pid = system.read("pid").strip()
        self.assertEqual(system.show("a.service", "MainPID"), pid)
        os.kill(system.host_pid(int(pid)), signal.SIGKILL)
        system.until_state("a.service", "failed")
        self.assertEqual(system.show("a.service", "Result"), "signal")

    def test_a_forking_service_without_a_pid_file_is_guessed(self):
        system = self.boot({"a.service": service(
            "Type=forking", "ExecStart=/bin/sh -c 'sleep infinity & echo $! > @work@/pid'")})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.show("a.service", "MainPID"), system.read("pid").strip())

    def test_a_notify_service_is_started_when_it_says_so(self):
        system = self.boot({
            "a.service": service("Type=notify",
                                 "ExecStart=/bin/sh -c 'read go < @work@/fifo; exec @notify@ --stay READY=1 \"STATUS=at work\"'"),
            "b.service": service("Type=oneshot", "ExecStart=" + say("b"), unit="After=a.service")})
        os.mkfifo(system.path("fifo"))
        self.ok(system, "start", "--no-block", "a.service", "b.service")
        system.until_state("a.service", "activating/start")
        self.assertEqual(system.said(), [])
        with open(system.path("fifo"), "w") as fifo:
            fifo.write("go\n")
        system.until_state("a.service", "active/running")
        self.assertEqual(system.show("a.service", "StatusText"), "at work")
        system.until_said("b")

    def test_a_notify_service_that_ends_without_a_word_has_failed(self):
        system = self.boot({"a.service": service("Type=notify", "ExecStart=/bin/true")})
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        self.assertEqual(system.show("a.service", "Result"), "protocol")

    def test_an_exec_service_is_started_once_its_program_runs(self):
        system = self.boot({"good.service": service("Type=exec", "ExecStart=" + STAY),
                            "bad.service": service("Type=exec", "ExecStart=/nowhere/program")})
        self.ok(system, "start", "good.service")
        self.assertEqual(system.show("good.service", "SubState"), "running")
        code, _, err = system.cli("start", "bad.service")
        self.assertEqual(code, 1, err)
        self.assertEqual(system.show("bad.service", "ExecMainStatus"), "203")

    def test_exec_condition_decides_whether_a_service_starts(self):
        def with_condition(command):
            return service("Type=oneshot", "RemainAfterExit=yes", "ExecCondition=" + command, "ExecStart=" + say("ran"))
        system = self.boot({"main.target": "[Unit]\nAfter=no.service\n",  # stays loaded
                            "yes.service": with_condition("/bin/true"),
                            "no.service": with_condition("/bin/false"),
                            "broken.service": with_condition("/bin/sh -c 'exit 255'")})
        self.ok(system, "start", "no.service")
        self.assertEqual(system.show("no.service", "ActiveState"), "inactive")
        self.assertEqual(system.show("no.service", "Result"), "exec-condition")
        self.assertEqual(system.said(), [])
        self.assertEqual(system.cli("start", "broken.service")[0], 1)
        self.assertEqual(system.show("broken.service", "ActiveState"), "failed")
        self.ok(system, "start", "yes.service")
        self.assertEqual(system.said(), ["ran"])


class Restarting(OnsetSystemTest):
    def test_restart_tells_clean_ends_from_failures(self):
        cases = {"no": (False, False), "always": (True, True), "on-success": (True, False),
                 "on-failure": (False, True), "on-abnormal": (False, False)}
        units = {}
        for form in cases:
            for how, code in (("clean", 0), ("failed", 3)):
                units[f"{form}-{how}.service"] = service(
                    f"Restart={form}", "RestartSec=0",
                    f"ExecStart=/bin/sh -c 'echo x >> @work@/{form}-{how}; "
                    f"[ $(wc -l < @work@/{form}-{how}) -ge 2 ] && exec sleep infinity; exit {code}'")
        system = self.boot(units)
        self.ok(system, "start", *units)
        for form, expected in cases.items():
            for how, again in zip(("clean", "failed"), expected):
                with self.subTest(restart=form, end=how):
                    name = f"{form}-{how}.service"
                    if again:
                        until(lambda: len(system.said(f"{form}-{how}")) == 2, name)
                        self.assertEqual(system.show(name, "NRestarts"), "1")
                        system.until_state(name, "active/running")
                    else:
                        system.until_state(name, "inactive" if how == "clean" else "failed")
                        self.assertEqual(system.show(name, "NRestarts"), "0")

    def test_a_start_limit_ends_a_storm_of_restarts(self):
        system = self.boot({"a.service": service(
            "Restart=always", "RestartSec=0", "ExecStart=" + say("x"),
            unit="StartLimitIntervalSec=1h\nStartLimitBurst=3")})
        self.ok(system, "start", "a.service")
        system.until_state("a.service", "failed")
        self.assertEqual(system.show("a.service", "Result"), "start-limit-hit")
        self.assertEqual(system.said(), ["x"] * 3)
        self.ok(system, "reset-failed", "a.service")
        self.assertEqual(system.show("a.service", "ActiveState"), "inactive")

    def test_a_watchdog_that_is_not_fed_ends_the_service(self):
        system = self.boot({"a.service": service(
            "Type=notify", "WatchdogSec=300ms", "ExecStart=@notify@ --stay READY=1",
            "ExecStopPost=" + say("$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"))})
        self.ok(system, "start", "a.service")
        system.until_state("a.service", "failed")
        self.assertEqual(system.show("a.service", "Result"), "watchdog")
        self.assertEqual(len(system.said()), 1)
        self.assertRegex(system.said()[0], r"^watchdog (killed|dumped) ABRT$")

    def test_on_failure_starts_its_unit(self):
        system = self.boot({
            "a.service": service("Type=oneshot", "ExecStart=/bin/false", unit="OnFailure=report@%n.service"),
            "report@.service": service("Type=oneshot", "ExecStart=" + say("%i"))})
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        system.until_said("a.service")

    def test_kill_of_all_of_a_stopped_service_is_no_error(self):
        system = self.boot({"a.service": service("ExecStart=" + STAY)})
        self.ok(system, "kill", "-s", "HUP", "a.service")
        self.assertEqual(system.cli("kill", "--kill-whom=main", "a.service"), (
            1, "", "Failed to kill unit a.service: a.service has no main process to kill\n"))


class Surroundings(OnsetSystemTest):
    def test_service_result_is_told_to_exec_stop_post(self):
        post = "ExecStopPost=" + say("%p $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS")
        system = self.boot({"clean.service": service("ExecStart=/bin/true", post),
                            "code.service": service("ExecStart=/bin/sh -c 'exit 7'", post),
                            "signal.service": service("ExecStart=/bin/sh -c 'kill -KILL $$$$'", post)})
        self.ok(system, "start", "clean.service", "code.service", "signal.service")
        for line in ("clean success exited 0", "code exit-code exited 7", "signal signal killed KILL"):
            system.until_said(line)

    def test_a_runtime_directory_lives_as_long_as_its_service(self):
        system = self.boot({"a.service": service(
            "RuntimeDirectory=mine", "RuntimeDirectoryMode=0750", f"User={ORDINARY_UID}",
            "ExecStartPre=/bin/sh -c 'find /run/mine -prune -printf \"%%m %%U\\\\n\" > @work@/mode; echo $RUNTIME_DIRECTORY >> @work@/mode'",
            "ExecStart=" + STAY)})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("mode"), f"750 {ORDINARY_UID}\n/run/mine\n")
        folder = f"/proc/{system.pid()}/root/run/mine"
        self.assertTrue(os.path.isdir(folder))
        self.ok(system, "stop", "a.service")
        self.assertFalse(os.path.exists(folder))

    def test_the_environment_is_the_files_and_the_units(self):
        system = self.boot({"a.service": service(
            "Type=oneshot", "Environment=A=unit B=unit", "EnvironmentFile=@work@/env",
            "EnvironmentFile=-@work@/missing", "ExecStart=/bin/sh -c 'echo \"$A|$B|$C\" > @work@/seen'")})
        with open(system.path("env"), "w") as file:
            file.write("# comment\nB=file\nC='two words'\n")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("seen"), "unit|file|two words\n")

    def test_a_missing_environment_file_is_a_failure(self):
        system = self.boot({"a.service": service("Type=oneshot", "EnvironmentFile=@work@/missing", "ExecStart=" + say("x"))})
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        self.assertEqual(system.said(), [])

    def test_user_group_folder_and_limits_are_the_units(self):
        system = self.boot({"a.service": service(
            "Type=oneshot", f"User={ORDINARY_UID}", f"Group={ORDINARY_UID}", "WorkingDirectory=@work@",
            "LimitNOFILE=99:100", "UMask=0027", "Nice=5",
            "ExecStart=/bin/sh -c 'echo $(id -u) $(id -g) $(pwd) $(ulimit -Sn) $(ulimit -Hn) $(umask) $(nice) > seen'")})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("seen"), f"{ORDINARY_UID} {ORDINARY_UID} {system.work} 99 100 0027 5\n")

    def test_a_working_directory_that_is_missing_gives_status_200(self):
        system = self.boot({"a.service": service("Type=oneshot", "WorkingDirectory=/nowhere", "ExecStart=/bin/true"),
                            "b.service": service("Type=oneshot", "WorkingDirectory=-/nowhere", "ExecStart=/bin/true")})
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        self.assertEqual(system.show("a.service", "ExecMainStatus"), "200")
        self.ok(system, "start", "b.service")


class Configuration(OnsetSystemTest):
    """systemd-system.conf(5)."""

    CONFIG = "[Manager]\nDefaultTimeoutStartSec=300ms\nDefaultTimeoutStpSec=3\n" \
             "DefaultRestartSec=forever\nDefaultRestartSec=2ms\nCPUAffinity=0\n" \
             "DefaultEnvironment=PLACE=%l \"WORDS=two words\" OVER=manager\n"

    def test_what_units_leave_open_is_the_files(self):
        system = self.boot({
            "slow.service": service("Type=notify", "ExecStart=/bin/sleep infinity"),
            "a.service": service(
                "Type=oneshot", "Environment=OVER=unit",
                "ExecStart=/bin/sh -c 'echo $WORDS,$OVER,$(ulimit -Sn),$(ulimit -Hn) >> @work@/said'"),
            "again.service": service("Restart=always", "ExecStart=/bin/false"),
            "own.service": service("TimeoutStartSec=9", "RestartSec=8", "LimitNOFILE=50:60",
                                   "ExecStart=/bin/true")},
            config={"system.conf": self.CONFIG,
                    "system.conf.d/limits.conf": "[Manager]\nDefaultLimitNOFILE=100:200\n"
                                                 "DefaultStartLimitBurst=3\n"})
        self.assertEqual(system.cli("start", "slow.service")[0], 1)
        self.assertEqual(system.show("slow.service", "Result"), "timeout")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["two words,unit,100,200"])
        self.ok(system, "start", "again.service")
        system.until_state("again.service", "failed")
        self.assertEqual(system.show("again.service", "NRestarts"), "3")
        for name, default, own in (("TimeoutStartUSec", "300ms", "9s"),
                                   ("TimeoutStopUSec", "1min 30s", "1min 30s"),
                                   ("RestartUSec", "2ms", "8s"), ("LimitNOFILE", "200", "60")):
            self.assertEqual(system.show("a.service" if name != "TimeoutStartUSec" else
                                         "slow.service", name), default, name)
            self.assertEqual(system.show("own.service", name), own, name)
        manager = self.properties(system)
        self.assertEqual(manager["DefaultTimeoutStartUSec"], "300ms")
        self.assertEqual(manager["DefaultRestartUSec"], "2ms")
        self.assertEqual(manager["DefaultLimitNOFILE"], "200")
        self.assertEqual(manager["DefaultLimitNOFILESoft"], "100")
        self.assertIn("WORDS=two words", manager["Environment"])

    def test_bad_lines_are_told_with_file_and_line(self):
        system = self.boot({}, config={"system.conf": self.CONFIG})
        path = os.path.join(system.config, "system.conf")
        for told in (":3: Unknown key 'DefaultTimeoutStpSec' in section [Manager], ignoring",
                     ":4: DefaultRestartSec=forever: expected",
                     ":6: CPUAffinity= is not honoured yet"):
            self.assertIn(path + told, system.log())

    def test_a_reload_reads_it_again_and_options_come_before_it(self):
        system = self.boot({"a.service": service(
            "Type=oneshot", "ExecStart=/bin/sh -c 'echo $A >> @work@/said'")},
            config={"system.conf": "[Manager]\nDefaultEnvironment=A=1\nLogLevel=err\n"
                                   "DefaultStandardOutput=null\n"})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.show("a.service", "StandardOutput"), "null")
        self.assertEqual(self.properties(system)["LogLevel"], "debug")
        system.write({"system.conf": "[Manager]\nDefaultEnvironment=A=2\n"
                                     "DefaultTimeoutStopSec=4\n"}, system.config)
        self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["1", "2"])
        self.assertEqual(system.show("a.service", "TimeoutStopUSec"), "4s")
        self.assertEqual(system.show("a.service", "StandardOutput"), "journal")

    def test_a_users_manager_reads_user_conf(self):
        system = self.boot(
            {"main.target": "[Unit]\nWants=a.service\n",
             "a.service": service(
                 "Type=oneshot",
                 "ExecStart=/bin/sh -c 'echo $A,$M,$(cat /proc/self/oom_score_adj) >> @work@/said'")},
            wait=False, ordinary=True, options=["--user"], env={"XDG_RUNTIME_DIR": "/run"},
            setup=["chmod 0777 /run"],
            config={"system.conf": "[Manager]\nDefaultEnvironment=A=system\n",
                    "user.conf": "[Manager]\nDefaultEnvironment=A=user\nManagerEnvironment=M=1\n"})
        with open("/proc/self/oom_score_adj") as file:
            score = min(int(file.read()) + 100, 1000)
        system.until_said(f"user,1,{score}")

    def properties(self, system):
        return dict(line.split("=", 1) for line in self.ok(system, "show").splitlines())


class Killing(OnsetSystemTest):
    def test_kill_mode_decides_who_is_signalled(self):
        units = {}
        for mode in ("control-group", "mixed", "process", "none"):
            units[f"{mode}.service"] = service(
                f"KillMode={mode}", "TimeoutStopSec=5", "Type=notify", "NotifyAccess=all",
                f"ExecStart=@python@ @support@/family.py @work@/{mode}")
        system = self.boot(units)
        self.ok(system, "start", *units)
        pids = {mode: [int(line.split()[1]) for line in system.said(mode) if line.startswith("pid ")]
                for mode in ("control-group", "mixed", "process", "none")}
        hosts = {mode: [system.host_pid(pid) for pid in pids[mode]] for mode in pids}
        watches = {mode: [self.watch(pid) for pid in hosts[mode]] for mode in hosts}
        for mode in ("control-group", "mixed", "process"):
            with self.subTest(mode=mode):
                self.ok(system, "stop", f"{mode}.service")
                self.assertIn("parent TERM", system.said(mode))
                watches[mode][0].wait()
        watches["control-group"][1].wait()
        self.assertIn("child TERM", system.said("control-group"))
        watches["mixed"][1].wait()
        self.assertNotIn("child TERM", system.said("mixed"))
        self.assertTrue(os.path.exists(f"/proc/{hosts['process'][1]}"))
        self.assertNotIn("child TERM", system.said("process"))
        self.ok(system, "stop", "none.service")
        self.assertNotIn("parent TERM", system.said("none"))
        for pid in hosts["none"]:
            self.assertTrue(os.path.exists(f"/proc/{pid}"))

    def test_D1_a_service_that_ignores_term_is_killed_when_its_time_is_up(self):
        system = self.boot({"a.service": service(
            "TimeoutStopSec=300ms", "Type=notify", "NotifyAccess=all",
            "ExecStart=/bin/sh -c 'trap \"\" TERM; @notify@ READY=1; while :; do sleep 3600; done'")})
        self.ok(system, "start", "a.service")
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.show("a.service", "Result"), "timeout")
        self.assertEqual(system.show("a.service", "ActiveState"), "failed")

    def test_the_kill_verb_signals_whom_it_is_told(self):
        system = self.boot({"a.service": service("ExecStart=" + TRAP.format("main"), "Restart=no")})
        self.ok(system, "start", "a.service")
        system.until_said("main-up")
        self.ok(system, "kill", "--kill-whom=main", "--signal=TERM", "a.service")
        system.until_said("main-term")
        system.until_state("a.service", "inactive")


class UnitFiles(OnsetSystemTest):
    def test_instances_of_a_template_know_their_names(self):
        system = self.boot({"t@.service": service("Type=oneshot", "ExecStart=" + say("%i %p"))})
        self.ok(system, "start", "t@one.service", "t@two.service")
        self.assertEqual(sorted(system.said()), ["one t", "two t"])
        code, _, err = system.cli("start", "t@.service")
        self.assertEqual(code, 1, err)

    def test_a_drop_in_counts_after_a_reload(self):
        system = self.boot({"main.target": "[Unit]\nAfter=a.service\n",  # stays loaded
                            "a.service": service("Type=oneshot", "ExecStart=" + say("before"))})
        self.ok(system, "start", "a.service")
        system.write({"a.service.d/10-more.conf": "[Service]\nExecStart=\nExecStart=" + say("after") + "\n"})
        self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["before", "after"])
        self.assertTrue(system.show("a.service", "DropInPaths").endswith("10-more.conf"))

    def test_a_reload_keeps_what_runs(self):
        system = self.boot({"a.service": service("ExecStart=" + STAY)})
        self.ok(system, "start", "a.service")
        pid = system.show("a.service", "MainPID")
        system.write({"a.service": service("Description=new", "ExecStart=" + STAY)})
        self.ok(system, "daemon-reload")
        self.assertEqual(system.show("a.service", "MainPID"), pid)
        self.assertEqual(system.show("a.service", "ActiveState"), "active")

    def test_enable_disable_and_mask_change_the_links_below_a_root(self):
        system = self.boot()
        root = os.path.join(system.work, "root")
        folder = os.path.join(root, "etc/systemd/system")
        os.makedirs(folder)
        with open(os.path.join(folder, "a.service"), "w") as file:
            file.write("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
        link = os.path.join(folder, "multi-user.target.wants/a.service")

        def cli(*arguments):
            return system.cli("--root=" + root, *arguments, env=ENVIRONMENT)
        self.assertEqual(cli("is-enabled", "a.service"), (1, "disabled\n", ""))
        self.assertEqual(cli("enable", "a.service")[0], 0)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(cli("is-enabled", "a.service")[:2], (0, "enabled\n"))
        self.assertEqual(cli("disable", "a.service")[0], 0)
        self.assertFalse(os.path.lexists(link))
        self.assertEqual(cli("mask", "b.service")[0], 0)
        self.assertEqual(os.readlink(os.path.join(folder, "b.service")), "/dev/null")
        self.assertEqual(cli("is-enabled", "b.service")[:2], (1, "masked\n"))
        self.assertEqual(cli("unmask", "b.service")[0], 0)


class Verbs(OnsetSystemTest):
    def test_exit_codes_are_systemctls(self):
        system = self.boot({
            "main.target": "[Unit]\nWants=up.service\n",
            "up.service": service("ExecStart=" + STAY),
            "down.service": service("ExecStart=" + STAY),
            "bad.service": service("Type=oneshot", "ExecStart=/bin/false")})
        self.assertEqual(system.cli("start", "bad.service")[0], 1)
        for code, *arguments in (
                (0, "is-active", "up.service"), (3, "is-active", "down.service"), (3, "is-active", "bad.service"),
                (0, "is-failed", "bad.service"), (1, "is-failed", "up.service"),
                (0, "status", "up.service"), (3, "status", "down.service"), (3, "status", "bad.service"),
                (4, "status", "nowhere.service"), (5, "start", "nowhere.service"), (5, "stop", "nowhere.service"),
                (1, "is-system-running"), (1, "no-such-verb"), (0, "show", "nowhere.service"),
                (0, "try-restart", "down.service"), (3, "reload", "down.service"),
                (0, "list-units"), (0, "list-jobs"), (0, "list-dependencies", "main.target"), (0, "cat", "up.service")):
            with self.subTest(line=" ".join(arguments)):
                got, out, err = system.cli(*arguments)
                self.assertEqual(got, code, out + err)

    def test_a_failed_unit_makes_the_system_degraded(self):
        system = self.boot({"main.target": "[Unit]\nWants=bad.service\n",
                            "bad.service": service("Type=oneshot", "ExecStart=/bin/false")})
        self.assertEqual(system.state_at_start, "degraded")
        self.assertEqual(system.cli("is-system-running"), (1, "degraded\n", ""))
        self.ok(system, "reset-failed")
        self.assertEqual(system.cli("is-system-running"), (0, "running\n", ""))


class Shutdown(OnsetSystemTest):
    def test_term_to_pid_1_is_an_orderly_end_with_status_0(self):
        system = self.boot({
            "main.target": "[Unit]\nWants=a.service\n",
            "a.service": service("Type=notify", "NotifyAccess=all", "ExecStart=@python@ @support@/family.py @work@/family")})
        self.assertEqual(system.leave(), 0)
        self.assertIn("parent TERM", system.said("family"))

    def test_every_signal_of_a_container_runtime_ends_it(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPWR, signal.SIGRTMIN + 3, signal.SIGRTMIN + 4):
            with self.subTest(signal=number):
                self.assertEqual(self.boot({}).leave(number), 0)

    def test_the_signals_of_halt_and_poweroff_run_what_hangs_on_these_targets(self):
        for number, target in ((signal.SIGRTMIN + 3, "halt"), (signal.SIGRTMIN + 4, "poweroff"),
                               (signal.SIGTERM, "exit")):
            with self.subTest(target=target):
                hook = service("Type=oneshot", "ExecStart=" + say("%p"), unit="DefaultDependencies=no\n"
                               "After=shutdown.target\nBefore=final.target")
                units = {}
                for name in ("halt", "poweroff", "exit"):
                    units[f"hook-{name}.service"] = hook
                    units[f"{name}.target.d/hook.conf"] = f"[Unit]\nWants=hook-{name}.service\n"
                system = self.boot(units)
                self.assertEqual(system.leave(number), 0)
                self.assertEqual(system.said(), [f"hook-{target}"])

    def test_a_second_term_forces_the_end(self):
        system = self.boot({
            "main.target": "[Unit]\nWants=a.service\n",
            "a.service": service("Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true",
                                 "ExecStop=/bin/sh -c 'echo stopping >> @work@/said; exec sleep infinity'",
                                 "TimeoutStopSec=1h")})
        system.process.signal(signal.SIGTERM)
        system.until_said("stopping")
        system.process.signal(signal.SIGTERM)
        self.assertEqual(system.wait(6), 0)

    def test_D6_a_hung_stop_ends_within_the_containers_budget(self):
        system = self.boot({
            "main.target": "[Unit]\nWants=a.service\n",
            "a.service": service("Type=notify", "NotifyAccess=all", "TimeoutStopSec=1h",
                                 "ExecStart=/bin/sh -c 'trap \"\" TERM; @notify@ READY=1; while :; do sleep 3600; done'")})
        self.assertEqual(system.leave(seconds=20), 0)

    def test_D7_the_exit_verb_sets_the_exit_code(self):
        system = self.boot({})
        system.cli("exit", "42")
        self.assertEqual(system.wait(), 42)

    def test_exit_forms_of_success_action_give_the_services_status(self):
        system = self.boot({
            "main.target": "[Unit]\nWants=a.service\n",
            "a.service": service("ExecStart=/bin/sh -c 'exit 9'", unit="FailureAction=exit")}, wait=False)
        self.assertEqual(system.wait(), 9)

    def test_hup_reads_the_unit_files_again(self):
        system = self.boot({"main.target": "[Unit]\nAfter=a.service\n",  # stays loaded
                            "a.service": service("Type=oneshot", "ExecStart=" + say("before"))})
        self.ok(system, "start", "a.service")
        system.write({"a.service": service("Type=oneshot", "ExecStart=" + say("after"))})
        before = system.show("a.service", "ExecStart")
        system.process.signal(signal.SIGHUP)
        until(lambda: system.show("a.service", "ExecStart") != before, "the new file is loaded")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["before", "after"])

    def test_usr1_makes_the_control_socket_again(self):
        system = self.boot({})
        self.assertEqual(system.inside(["sh", "-c", "find /run -type s -name control -delete -print | grep ."])[0], 0)
        self.assertNotEqual(system.cli("is-system-running")[1].strip(), "running")
        system.process.signal(signal.SIGUSR1)
        until(lambda: system.state() == "running", "it is heard again")


class Places(OnsetSystemTest):
    """The same life of a system wherever it may run."""

    UNITS = {
        "main.target": "[Unit]\nWants=a.service\n",
        "a.service": service("ExecStart=" + STAY, "ExecStop=" + say("stopped"), "Restart=always", "RestartSec=0")}

    def life(self, **kind):
        system = self.boot(self.UNITS, **kind)
        self.assertEqual(system.state_at_start, "running", system.log())
        first = system.show("a.service", "MainPID")
        self.ok(system, "kill", "--signal=KILL", "a.service")
        until(lambda: system.show("a.service", "NRestarts") == "1", "the restart")
        system.until_state("a.service", "active/running")
        self.assertNotEqual(system.show("a.service", "MainPID"), first)
        self.ok(system, "daemon-reload")
        self.assertEqual(system.leave(), 0)
        self.assertEqual(system.said(), ["stopped"])

    def test_as_pid_1(self):
        self.life()

    def test_below_another_pid_1(self):
        self.life(pid1=False)

    def test_as_an_ordinary_user(self):
        self.life(ordinary=True)

    def test_with_closed_standard_streams(self):
        self.life(closed_streams=True)

    def test_without_capabilities(self):
        self.life(no_capabilities=True)


if __name__ == "__main__":
    unittest.main()
