"""What a unit may use, measured: each limit bites, and what can't be enforced is told."""

import unittest

from guest import Guest, static_program

EPERM = 1
PROBE = "/usr/local/bin/limits-probe"
GROUPS = "/sys/fs/cgroup/system.slice"

UNITS = {
    # The kernel kills who takes too much.
    "hog.service": f"[Service]\nType=oneshot\nExecStart={PROBE} eat 200\nMemoryMax=32M\nMemorySwapMax=0\n",
    "tolerant.service": f"[Service]\nExecStart=/bin/sh -c '{PROBE} eat 200; echo $? >/run/tolerant; exec sleep 1000'\n"
                        "MemoryMax=32M\nMemorySwapMax=0\nOOMPolicy=continue\n",
    "strict.service": f"[Service]\nExecStart=/bin/sh -c '{PROBE} eat 200; exec sleep 1000'\n"
                      "MemoryMax=32M\nMemorySwapMax=0\n",
    "killed.service": f"[Service]\nExecStart=/bin/sh -c '{PROBE} eat 200; exec sleep 1000'\n"
                      "MemoryMax=32M\nMemorySwapMax=0\nOOMPolicy=kill\n",
    # Tasks, CPU, I/O.
    "forks.service": f"[Service]\nExecStart={PROBE} forks /run/forks\nTasksMax=20\n",
    "burner.service": f"[Service]\nExecStart={PROBE} burn\nCPUQuota=20%\nCPUWeight=33\n",
    "reader.service": "[Service]\nType=oneshot\nExecStart=/bin/dd if=/dev/vda of=/dev/null bs=256k count=16 iflag=direct\n"
                      "RemainAfterExit=yes\nIOReadBandwidthMax=/dev/vda 1M\n",
    # Devices, addresses, ports.
    "closed.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'head -c1 /dev/zero >/dev/null'\n"
                      "ExecStart=/bin/sh -c '! head -c1 /dev/vda'\nDevicePolicy=closed\n",
    "listed.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'head -c1 /dev/vda >/dev/null'\n"
                      "ExecStart=/bin/sh -c '! dd if=/dev/zero of=/dev/vda count=0 conv=notrunc'\n"
                      "ExecStart=/bin/sh -c '! head -c1 /dev/kmsg'\n"
                      "DeviceAllow=block-virtblk r\n",
    "address@.service": f"[Service]\nType=oneshot\nExecStart={PROBE} udp %i\nIPAddressDeny=any\nIPAddressAllow=127.0.0.2\n"
                        "Slice=shut.slice\n",
    "port@.service": f"[Service]\nType=oneshot\nExecStart={PROBE} bind 127.0.0.1 %i\nSocketBindDeny=any\n"
                     "SocketBindAllow=ipv4:tcp:8000-8001\n",
    "drop.service": f"[Service]\nType=oneshot\nExecStartPre=+{PROBE} pin /sys/fs/bpf/drop\nExecStart={PROBE} udp 127.0.0.1\n",
    "dropped.service": f"[Service]\nType=oneshot\nExecStart={PROBE} udp 127.0.0.1\nIPEgressFilterPath=/sys/fs/bpf/drop\n"
                       "BPFProgram=egress:/sys/fs/bpf/drop\n",
    "unpinned.service": "[Service]\nType=oneshot\nExecStart=/bin/true\nIPEgressFilterPath=/sys/fs/bpf/nothing\n",
    "only-lo.service": f"[Service]\nType=oneshot\nExecStart={PROBE} udp 127.0.0.1\nRestrictNetworkInterfaces=lo\n",
    "never-lo.service": f"[Service]\nType=oneshot\nExecStart={PROBE} udp 127.0.0.1\nRestrictNetworkInterfaces=~lo\n",
    "talker.service": f"[Service]\nExecStart=/bin/sh -c '{PROBE} talk 10 1000; echo >/run/talked; exec sleep 1000'\n"
                      "IPAccounting=yes\nSlice=talkers.slice\n",
    "talkers.slice": "[Slice]\nIPAccounting=yes\n",
    # What is done when memory runs short.
    "thirsty.slice": "[Slice]\nMemoryHigh=24M\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=20%\n"
                     "ManagedOOMMemoryPressureDurationSec=4s\n",
    "gorger.service": f"[Service]\nExecStart={PROBE} eat 200\nSlice=thirsty.slice\n",
    "sipper.service": "[Service]\nExecStart=/bin/sleep 1000\nSlice=thirsty.slice\n",
    "watching.service": "[Service]\nUser=nobody\nRuntimeDirectory=watching\nMemoryPressureWatch=on\n"
                        "MemoryPressureThresholdSec=150ms\n"
                        "ExecStart=/bin/sh -ec 'printf %%s \"$MEMORY_PRESSURE_WRITE\" | base64 -d >/run/watching/write; "
                        "cat /run/watching/write >\"$MEMORY_PRESSURE_WATCH\"; echo \"$MEMORY_PRESSURE_WATCH\" >/run/watching/file; "
                        "exec sleep 1000'\n",
    # Slices, delegation, what can't be had.
    "shut.slice": "[Slice]\nTasksMax=100\nMemoryHigh=100M\nDisableControllers=cpu\nIPAddressAllow=127.0.0.3\n",
    "heavy.service": "[Service]\nExecStart=/bin/sleep 1000\nCPUWeight=7\nTasksMax=9\nSlice=shut.slice\n",
    "delegated.service": "[Service]\nUser=nobody\nDelegate=yes\nExecReload=/bin/true\n"
                         "ExecStart=/bin/sh -ec 'g=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); mkdir $g/leaf; "
                         "echo $$$$ >$g/leaf/cgroup.procs; echo +memory >$g/cgroup.subtree_control; "
                         "cat $g/leaf/memory.max >/dev/null; exec sleep 1000'\n",
    "scheduled.service": f"[Service]\nType=oneshot\nExecStart={PROBE} scheduling /run/scheduled\nNice=5\n"
                         "CPUSchedulingPolicy=batch\nCPUAffinity=0\nIOSchedulingClass=idle\nTimerSlackNSec=2ms\n"
                         "NUMAPolicy=local\n",
    "unscheduled.service": "[Service]\nType=oneshot\nExecStart=/bin/true\nCPUAffinity=500\n",
    "vm-agent.service.d/startup.conf": "[Service]\nCPUWeight=50\nStartupCPUWeight=500\n",
}


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = {f"/etc/systemd/system/{name}": text for name, text in UNITS.items()}
        cls.guest = Guest(disk=True, append="systemd.log_level=info", files={**files, PROBE: static_program("limits_probe.c")})
        cls.addClassCleanup(cls.guest.end)

    def show(self, unit, name):
        return self.guest.ok(f"systemctl show --value -p {name} {unit}").strip()

    def await_file(self, path):
        self.guest.ok(f"until [ -s {path} ]; do sleep 0.1; done")
        return self.guest.ok(f"cat {path}").strip()

    def await_state(self, unit, state):
        self.guest.ok(f"until [ $(systemctl is-active {unit}) = {state} ]; do sleep 0.1; done")

    def number(self, path):
        return int(self.guest.ok(f"cat {path}"))

    # ---- memory -------------------------------------------------------------------

    def test_a_memory_hog_is_killed_and_told_so(self):
        self.assertNotEqual(self.guest.run("systemctl start hog.service")[0], 0)
        self.assertEqual(self.show("hog.service", "Result"), "oom-kill")
        peak = int(self.show("hog.service", "MemoryPeak"))
        self.assertGreater(peak, 24 << 20)
        self.assertLessEqual(peak, 32 << 20)
        self.assertRegex(self.guest.run("systemctl status hog.service")[1], r"oom-kill")
        self.assertEqual(self.show("hog.service", "NotEnforced"), "")

    def test_a_killed_child_ends_the_service_unless_its_policy_says_go_on(self):
        self.guest.ok("systemctl start tolerant.service strict.service killed.service")
        self.assertEqual(self.await_file("/run/tolerant"), "137")
        self.assertEqual(self.guest.ok("systemctl is-active tolerant.service"), "active\n")
        for unit in ("strict.service", "killed.service"):
            self.await_state(unit, "failed")
            self.assertEqual(self.show(unit, "Result"), "oom-kill")
        self.guest.ok("systemctl stop tolerant.service")

    # ---- tasks, CPU, I/O ------------------------------------------------------------

    def test_P14_a_fork_bomb_stops_at_its_limit_and_ends_whole(self):
        self.guest.ok("systemctl start forks.service")
        self.assertEqual(self.await_file("/run/forks"), "19")
        self.assertEqual(self.show("forks.service", "TasksCurrent"), "20")
        self.assertEqual(self.show("forks.service", "TasksRefused"), "1")
        self.guest.until(r"forks.service: a new process or thread was refused, TasksMax=20 is reached")
        self.assertIn("20 (1 refused)", self.guest.ok("systemctl status forks.service"))
        self.guest.ok("systemctl stop forks.service")
        self.assertEqual(self.guest.run("pgrep limits-probe")[0], 1)
        self.assertNotEqual(self.guest.run(f"ls {GROUPS}/forks.service")[0], 0)

    def test_a_cpu_burner_stays_within_its_quota(self):
        self.guest.ok("systemctl start burner.service")
        look = f"sed -n 's/^usage_usec //p' {GROUPS}/burner.service/cpu.stat; cut -d' ' -f1 /proc/uptime"
        used, begin = map(float, self.guest.ok(f"sleep 1; {look}").split())
        used_later, end = map(float, self.guest.ok(f"sleep 6; {look}").split())
        share = (used_later - used) / 1e6 / (end - begin)
        self.assertLess(share, 0.20 * 1.05)
        self.assertGreater(share, 0.20 * 0.75)
        self.assertEqual(self.guest.ok(f"cat {GROUPS}/burner.service/cpu.max"), "20000 100000\n")
        self.assertEqual(self.guest.ok(f"cat {GROUPS}/burner.service/cpu.weight"), "33\n")
        self.guest.ok("systemctl stop burner.service")
        self.guest.until(r"burner.service.*Consumed [0-9.]+s CPU time, .*memory peak")

    def test_reads_of_a_disk_are_slowed_to_their_limit(self):
        begin, end = map(float, self.guest.ok("cut -d' ' -f1 /proc/uptime; systemctl start reader.service; "
                                              "cut -d' ' -f1 /proc/uptime").split())
        self.assertGreater(end - begin, 4.19 * 0.9)
        self.assertGreaterEqual(int(self.show("reader.service", "IOReadBytes")), 4 << 20)

    # ---- devices, addresses, ports ----------------------------------------------------

    def test_devices_that_are_not_listed_are_refused(self):
        for unit in ("closed.service", "listed.service"):
            self.guest.ok(f"systemctl start {unit}")
            self.assertEqual(self.show(unit, "NotEnforced"), "")

    def test_addresses_that_are_denied_are_not_reached(self):
        for address, error in (("127.0.0.1", EPERM), ("127.0.0.2", 0), ("127.0.0.3", 0), ("::1", EPERM)):
            unit = f"'address@{address}.service'"
            self.guest.run(f"systemctl start {unit}")
            self.assertEqual((address, self.show(unit, "ExecMainStatus")), (address, str(error)))

    def test_ports_that_are_denied_can_not_be_bound(self):
        for port, error in ((8000, 0), (8001, 0), (8002, EPERM)):
            self.guest.run(f"systemctl start port@{port}.service")
            self.assertEqual((port, self.show(f"port@{port}.service", "ExecMainStatus")), (port, str(error)))

    def test_a_program_that_is_pinned_guards_a_unit(self):
        self.guest.ok("mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf; systemctl start drop.service")
        self.guest.run("systemctl start dropped.service")
        self.assertEqual(self.show("dropped.service", "ExecMainStatus"), str(EPERM))
        self.assertNotEqual(self.guest.run("systemctl start unpinned.service")[0], 0)
        self.assertEqual(self.show("unpinned.service", "Result"), "resources")

    def test_interfaces_that_are_not_listed_are_not_used(self):
        for unit, error in (("only-lo", 0), ("never-lo", EPERM)):
            self.guest.run(f"systemctl start {unit}.service")
            self.assertEqual((unit, self.show(f"{unit}.service", "ExecMainStatus")), (unit, str(error)))
            self.assertEqual(self.show(f"{unit}.service", "NotEnforced"), "")

    def test_ip_traffic_is_counted_to_the_byte(self):
        def counts(unit):
            return [self.show(unit, f"IP{way}{what}") for way in ("Egress", "Ingress") for what in ("Bytes", "Packets")]
        self.guest.ok("systemctl start talker.service")
        self.await_file("/run/talked")
        told = [str(10 * (1000 + 28)), "10"] * 2  # a header of IP and of UDP each
        self.assertEqual(counts("talker.service"), told)
        self.assertEqual(counts("talkers.slice"), told)
        self.assertIn("10.0K in, 10.0K out", self.guest.ok("systemctl status talker.service"))
        self.guest.ok("systemctl daemon-reload")
        self.assertEqual(counts("talker.service"), told)
        self.guest.ok("systemctl stop talker.service")
        self.guest.until(r"talker.service: Consumed .*, received 10.0K IP traffic, sent 10.0K IP traffic\.")
        self.assertEqual(self.show("burner.service", "IPEgressBytes"), "[no data]")

    # ---- when memory runs short -----------------------------------------------------

    def test_who_makes_a_slice_wait_for_memory_too_long_is_killed(self):
        self.guest.ok("systemctl start sipper.service gorger.service")
        self.await_state("gorger.service", "failed")
        self.assertEqual(self.show("gorger.service", "Result"), "oom-kill")
        self.assertRegex(self.guest.run("systemctl status gorger.service")[1],
                         r"ManagedOOMMemoryPressure=: its memory pressure was above 20.00 % for 4s")
        self.assertEqual(self.guest.ok("systemctl is-active sipper.service"), "active\n")
        self.assertEqual(self.show("thirsty.slice", "NotEnforced"), "")
        self.guest.ok("systemctl stop sipper.service")

    def test_a_service_is_told_where_to_watch_its_pressure(self):
        self.guest.ok("systemctl start watching.service")
        self.assertEqual(self.await_file("/run/watching/file"), f"{GROUPS}/watching.service/memory.pressure")
        self.assertEqual(self.guest.ok("tr '\\0' . </run/watching/write"), "some 150000 2000000.")
        self.guest.ok("systemctl stop watching.service")

    # ---- units that are made meanwhile ----------------------------------------------

    def test_a_command_in_a_unit_of_its_own_is_limited_too(self):
        status, output = self.guest.run(f"systemd-run --wait -G -p MemoryMax=32M -p MemorySwapMax=0 {PROBE} eat 200 2>&1")
        self.assertEqual(status, 1, output)
        self.assertIn("Finished with result: oom-kill", output)
        self.guest.ok(f"systemd-run --scope --unit=few -p TasksMax=5 {PROBE} forks /run/few >/dev/null 2>&1 &")
        self.assertEqual(self.await_file("/run/few"), "4")
        self.assertEqual(self.show("few.scope", "TasksCurrent"), "5")
        self.assertEqual(self.number(f"{GROUPS}/few.scope/pids.max"), 5)
        self.guest.ok("systemctl stop few.scope")
        self.assertNotEqual(self.guest.run(f"ls {GROUPS}/few.scope /run/systemd/transient/few.scope")[0], 0)

    # ---- the tree -----------------------------------------------------------------

    def test_a_slice_limits_all_below_and_keeps_a_controller_off(self):
        self.guest.ok("systemctl start heavy.service")
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/pids.max"), 100)
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/memory.high"), 100 << 20)
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/heavy.service/pids.max"), 9)
        self.assertEqual(self.show("heavy.service", "NotEnforced"),
                         "CPUWeight= not enforced (the cpu controller is disabled)")
        self.assertIn("CPUWeight= not enforced", self.guest.ok("systemctl status heavy.service"))
        self.assertEqual(self.show("shut.slice", "TasksMax"), "100")

    def test_what_is_read_again_holds_at_once(self):
        self.guest.ok("systemctl start heavy.service")
        folder = "/run/systemd/system"
        self.guest.ok(f"mkdir -p {folder}/heavy.service.d {folder}/shut.slice.d; "
                      f"printf '[Service]\\nTasksMax=\\nMemoryMax=64M\\n' >{folder}/heavy.service.d/a.conf; "
                      f"printf '[Slice]\\nTasksMax=50\\n' >{folder}/shut.slice.d/a.conf; systemctl daemon-reload")
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/pids.max"), 50)
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/heavy.service/memory.max"), 64 << 20)
        self.assertNotEqual(self.guest.ok("cat /sys/fs/cgroup/shut.slice/heavy.service/pids.max"), "9\n")
        self.guest.ok(f"rm -r {folder}/heavy.service.d {folder}/shut.slice.d; systemctl daemon-reload")
        self.assertEqual(self.guest.ok("cat /sys/fs/cgroup/shut.slice/heavy.service/memory.max"), "max\n")
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/pids.max"), 100)

    def test_a_property_that_is_set_holds_at_once(self):
        self.guest.ok("systemctl start heavy.service")
        self.guest.ok("systemctl set-property --runtime heavy.service TasksMax=77 MemoryHigh=90M")
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/heavy.service/pids.max"), 77)
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/heavy.service/memory.high"), 90 << 20)
        self.assertEqual(self.show("heavy.service", "TasksMax"), "77")
        self.assertEqual(self.show("heavy.service", "NeedDaemonReload"), "no")
        self.assertNotEqual(self.guest.run("systemctl set-property --runtime heavy.service TasksMax=-1")[0], 0)
        self.guest.ok("rm -r /run/systemd/system.control; systemctl daemon-reload")
        self.assertEqual(self.number("/sys/fs/cgroup/shut.slice/heavy.service/pids.max"), 9)

    def test_startup_values_hold_no_longer_than_the_boot(self):
        self.guest.ok("while [ $(systemctl is-system-running) = starting ]; do sleep 0.2; done")
        self.assertEqual(self.number(f"{GROUPS}/vm-agent.service/cpu.weight"), 50)

    def test_a_service_divides_the_group_that_it_was_given(self):
        self.guest.ok("systemctl start delegated.service")
        self.guest.ok(f"until [ -d {GROUPS}/delegated.service/leaf ]; do sleep 0.1; done")
        self.assertEqual(self.show("delegated.service", "DelegateControllers"), "cpu cpuset io memory pids")
        self.guest.ok(f"until grep -q memory {GROUPS}/delegated.service/cgroup.subtree_control; do sleep 0.1; done")
        self.guest.ok("systemctl reload delegated.service")
        self.assertEqual(self.guest.ok("systemctl is-active delegated.service"), "active\n")
        self.guest.ok("systemctl stop delegated.service")
        self.assertNotEqual(self.guest.run(f"ls {GROUPS}/delegated.service")[0], 0)

    def test_a_service_is_scheduled_as_it_says(self):
        self.guest.ok("systemctl start scheduled.service")
        self.assertEqual(self.await_file("/run/scheduled"), "nice=5 policy=3 cpus=1 io=3:0 slack=2000000")
        self.assertNotEqual(self.guest.run("systemctl start unscheduled.service")[0], 0)
        self.assertEqual(self.show("unscheduled.service", "ExecMainStatus"), "215")


if __name__ == "__main__":
    unittest.main()
