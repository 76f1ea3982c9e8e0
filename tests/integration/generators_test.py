"""Generators: what they are given, where what they write counts, and what becomes of those that do
not end."""

import os
import subprocess
import unittest

from harness import ONSET, until
from manager_harness import OnsetSystemTest

PATH = ("/run/systemd/generator.early:/etc/systemd/system:/run/systemd/system:"
        "/run/systemd/generator:/run/systemd/generator.late")
STAY = "[Service]\nExecStart=/bin/sleep infinity\n"
PLACES = {"run": "/run/systemd/system-generators", "etc": "/etc/systemd/system-generators",
          "environment": "/etc/systemd/system-environment-generators", "unit": "/etc/systemd/system"}


# Not the machine's own.
LOOKED_FOR = {"SYSTEMD_GENERATOR_PATH": f"{PLACES['run']}:{PLACES['etc']}",
              "SYSTEMD_ENVIRONMENT_GENERATOR_PATH": PLACES["environment"]}


def files(**texts):
    """Lines for a setup; a key is the place and the name: run__a."""
    lines = [f"mkdir -p {' '.join(PLACES.values())}"]
    for key, text in texts.items():
        place, name = key.split("__")
        path = f"{PLACES[place]}/{name.replace('_', '.')}"
        lines.append(f"ln -s {text} {path}" if text.startswith("/") else
                     f"cat > {path} <<'END'\n{text}\nEND")
        if place != "unit":
            lines.append(f"chmod +x {path}")
    return lines


class Generators(OnsetSystemTest):
    def system(self, config="", **kind):
        texts = kind.pop("files")
        texts.setdefault("unit__main_target", "[Unit]\nDescription=Main")
        return self.boot({}, setup=[*files(**texts), *kind.pop("setup", [])], options=["--unit-path=" + PATH],
                         config={"system.conf": "[Manager]\n" + config},
                         env={**LOOKED_FOR, **kind.pop("env", {})}, **kind)

    def test_what_they_write_counts_by_its_folder(self):
        unit = "printf '[Unit]\\nDescription=%s\\n[Service]\\nExecStart=/bin/true\\n' "
        system = self.system(files={
            "unit__a_service": "[Unit]\nDescription=administrator\n[Service]\nExecStart=/bin/true",
            "unit__b_service": "[Unit]\nDescription=administrator\n[Service]\nExecStart=/bin/true",
            "run__writes": "#!/bin/sh\n"
                           + unit + "normal > $1/a.service\n" + unit + "early > $2/b.service\n"
                           + unit + "normal > $1/c.service\n" + unit + "late > $3/c.service\n"
                           + unit + "late > $3/d.service\n"
                           "mkdir $1/main.target.wants && ln -s ../d.service $1/main.target.wants/d.service\n"
                           "echo $# $* > @work@/arguments"})
        self.assertEqual({name: system.show(name + ".service", "Description") for name in "abcd"},
                         {"a": "administrator", "b": "early", "c": "normal", "d": "late"})
        self.assertEqual(system.read("arguments"), "3 /run/systemd/generator /run/systemd/generator.early "
                                                   "/run/systemd/generator.late\n")
        self.assertIn("d.service", system.show("main.target", "Wants"))

    def test_the_first_folder_counts_and_links_to_null_mask(self):
        told = "#!/bin/sh\necho {} >> @work@/said"
        system = self.system(files={
            "run__a": told.format("run-a"), "etc__a": told.format("etc-a"),
            "run__b": "/dev/null", "etc__b": told.format("etc-b"), "etc__c": told.format("etc-c")})
        self.assertEqual(sorted(system.said()), ["etc-c", "run-a"])

    def test_they_know_where_they_run_and_write_anew_at_each_reload(self):
        system = self.system(env={"container": "docker"}, files={
            "environment__10-first": "#!/bin/sh\necho A=1\necho 'B=\"two words\"'",
            "environment__20-second": "#!/bin/sh\necho A=$A$A",
            "run__a": "#!/bin/sh\nenv > @work@/env\n[ -e @work@/off ] || touch $1/x.service\n"
                      "[ -e $1/y.service ] && echo old >> @work@/said\ntouch $1/y.service",
            "unit__e_service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo \"$A|$B\" > @work@/seen'"})
        seen = dict(line.split("=", 1) for line in system.read("env").splitlines())
        for name, value in {"SYSTEMD_SCOPE": "system", "SYSTEMD_IN_INITRD": "0", "SYSTEMD_FIRST_BOOT": "0",
                            "SYSTEMD_VIRTUALIZATION": "container:docker", "A": "11", "B": "two words"}.items():
            self.assertEqual(seen.get(name), value, name)
        self.assertTrue(seen["SYSTEMD_ARCHITECTURE"])
        self.ok(system, "start", "e.service")
        self.assertEqual(system.read("seen"), "11|two words\n")
        with open(system.path("off"), "w"):
            pass
        self.ok(system, "daemon-reload")
        self.assertEqual(system.said(), [])
        self.assertEqual(system.show("x.service", "LoadState"), "not-found")
        self.assertNotEqual(system.show("y.service", "LoadState"), "not-found")
        self.assertIn("A=11", self.ok(system, "show-environment").splitlines())

    def test_what_fails_or_hangs_is_named_and_the_boot_goes_on(self):
        system = self.system(config="DefaultTimeoutStartSec=1\n", files={
            "run__fails": "#!/bin/sh\nexit 3", "run__hangs": "#!/bin/sh\nsleep infinity",
            "run__nothing": "no program", "run__writes": "#!/bin/sh\n: > $1/a.service",
            "environment__hangs": "#!/bin/sh\ntrue"})
        self.assertEqual(system.state_at_start, "running")
        log = system.log()
        for line in ("system-generators/fails ended with status 3", "system-generators/hangs did not end in time",
                     "system-generators/nothing can't be run: Exec format error"):
            self.assertIn(line, log)
        self.assertNotEqual(system.show("a.service", "LoadState"), "not-found")

    def test_a_reload_goes_on_beside_everything_else(self):
        system = self.system(files={
            "unit__a_service": STAY,
            "run__waits": "#!/bin/sh\n[ -p @work@/go ] || exit 0\necho waits >> @work@/said\nread -r name < @work@/go\n"
                          "echo > $1/$name"})
        os.mkfifo(system.path("go"))
        reloads = []
        for _ in range(2):
            reloads.append(subprocess.Popen(system.inside_line([ONSET, "daemon-reload"]), stdin=subprocess.DEVNULL))
            self.addCleanup(reloads[-1].kill)
            system.until_said("waits")
        self.ok(system, "start", "a.service")
        self.assertEqual(self.ok(system, "is-active", "a.service"), "active\n")
        pid = system.show("a.service", "MainPID")
        self.assertIsNone(reloads[0].poll())
        with open(system.path("go"), "w") as file:
            file.write("x.service\n")
        self.assertEqual(reloads[0].wait(20), 0)
        # The second was asked for while the first ran, and comes after it.
        until(lambda: system.said() == ["waits", "waits"], "the generators run again")
        self.assertIsNone(reloads[1].poll())
        with open(system.path("go"), "w") as file:
            file.write("y.service\n")
        self.assertEqual(reloads[1].wait(20), 0)
        self.assertNotEqual(system.show("y.service", "LoadState"), "not-found")
        self.assertEqual(system.show("x.service", "LoadState"), "not-found")
        self.assertEqual(system.show("a.service", "MainPID"), pid)

    def test_where_nothing_can_be_written_a_word_is_all(self):
        system = self.system(setup=["mount -o remount,ro /run"], files={"etc__a": "#!/bin/sh\n: > $1/a.service"})
        self.assertEqual(system.state_at_start, "running")
        self.assertIn("no units are generated", system.log())


HEADER = """#!/bin/sh
### BEGIN INIT INFO
{}
### END INIT INFO
"""
SCRIPTS = {
    "alone": HEADER.format("# Provides: alone\n# Required-Start: $remote_fs $syslog\n# Short-Description: Stands alone")
             + 'case $1 in start) echo started >> @work@/said ;; stop) echo stopped >> @work@/said ;;\n'
               '*) echo "Usage: $0 {start|stop|reload}" ;; esac',
    "net.sh": HEADER.format("# Provides: net $network other-name\n# Should-Start: alone $named $unknown\n"
                            "# X-Start-Before: last\n# Description: The net\n#   of nets, 100%"),
    "last": HEADER.format("# Provides: last\n# Required-Start: $all net.sh $time $portmap $local_fs"),
    "old": "#!/bin/sh\n# chkconfig: 2345 20 80\n# description: From the past, \\\n#   it is\n# pidfile: /run/old.pid\nexit 5",
    "older": "#!/bin/sh\n# no header\nexit 0",
    "native": "#!/bin/sh\nexit 1",
}
LINKS = ("rc2.d/S01alone", "rc3.d/S01alone", "rc5.d/S03net.sh", "rc1.d/S04last", "rc3.d/S20old", "rc3.d/S10older",
         "rc2.d/S05native", "rc0.d/K01alone", "rc3.d/S20nothing")
ORACLE = os.path.join(os.environ.get("SYSTEMD_ROOT", "/"), "lib/systemd/system-generators/systemd-sysv-generator")


class InitScripts(OnsetSystemTest):
    """Those of /etc/init.d that have no unit."""

    def system(self):
        setup = ["rm -rf /etc/init.d /etc/rc?.d", "mkdir /etc/init.d /etc/rc0.d /etc/rc1.d /etc/rc2.d /etc/rc3.d /etc/rc5.d",
                 *(f"cat > /etc/init.d/{name} <<'END'\n{text}\nEND\nchmod +x /etc/init.d/{name}"
                   for name, text in SCRIPTS.items()),
                 "echo text > /etc/init.d/README",
                 *(f"ln -s ../init.d/{link[8:]} /etc/{link}" for link in LINKS)]
        units = {"unit__main_target": "[Unit]\nWants=multi-user.target",
                 "unit__multi-user_target": "[Unit]\nDescription=Many", "unit__native_service": STAY}
        return self.boot({}, setup=[*files(**units), *setup], options=["--unit-path=" + PATH], env=LOOKED_FOR)

    def tree(self, system, folder):
        """{unit: {(section, key): values}}, and the links with where they lead, without its folder."""
        script = f"cd {folder} && find . -type f -exec grep -H . {{}} + ; find . -type l -printf '%p->%f\\n'"
        units, links = {}, set()
        for line in self.inside(system, script).splitlines():
            if "->" in line:
                links.add(line)
                continue
            name, text = line.split(":", 1)
            unit = units.setdefault(name, {})
            if text.startswith("["):
                section = text
            elif not text.startswith("#"):
                key, value = text.split("=", 1)
                unit.setdefault((section, key), set()).add(value)
        return units, links

    def inside(self, system, script, **environment):
        code, out, err = system.inside(["sh", "-c", script], env={"PATH": os.environ["PATH"], **environment})
        self.assertEqual(code, 0, err)
        return out

    def test_a_script_is_started_in_its_runlevel_and_stopped(self):
        system = self.system()
        self.assertEqual(system.said(), ["started"])
        self.assertEqual(system.show("alone.service", "SubState"), "exited")
        self.assertEqual(system.show("alone.service", "SourcePath"), "/etc/init.d/alone")
        self.assertEqual(system.show("net.service", "ActiveState"), "inactive")
        self.assertEqual(system.show("native.service", "FragmentPath"), "/etc/systemd/system/native.service")
        self.assertEqual(system.show("other-name.service", "Id"), "net.service")
        self.ok(system, "stop", "alone.service")
        self.assertEqual(system.said(), ["started", "stopped"])

    @unittest.skipUnless(os.path.exists(ORACLE), "no systemd-sysv-generator; SYSTEMD_ROOT= names an unpacked package")
    def test_units_are_those_that_systemd_makes(self):
        system = self.system()
        library = os.path.join(os.environ.get("SYSTEMD_ROOT", "/"), "usr/lib/x86_64-linux-gnu/systemd")
        self.inside(system, f"mkdir /run/theirs && {ORACLE} /run/theirs /run/theirs /run/theirs", LD_LIBRARY_PATH=library,
                    SYSTEMD_SYSVINIT_PATH="/etc/init.d", SYSTEMD_SYSVRCND_PATH="/etc", SYSTEMD_LOG_LEVEL="err",
                    SYSTEMD_UNIT_PATH="/etc/systemd/system")
        ours, theirs = (self.tree(system, folder) for folder in ("/run/systemd/generator.late", "/run/theirs"))
        self.maxDiff = None
        self.assertEqual(ours, theirs)
        self.assertEqual(set(ours[0]), {"./alone.service", "./net.service", "./last.service", "./old.service",
                                        "./older.service"})


if __name__ == "__main__":
    unittest.main()
