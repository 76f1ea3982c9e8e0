"""What the scripts of packages ask of `systemctl`, command line by command line as they write them,
and what they read from its answer: deb-systemd-invoke, deb-systemd-helper, invoke-rc.d, service,
update-rc.d, the LSB functions, maintainer scripts, needrestart, postgresql-common."""

import os
import re
import unittest

from harness import ONSET
from manager_harness import OnsetSystemTest

STAY = "[Service]\nExecStart=/bin/sleep infinity\n"
INSTALL = "[Install]\nWantedBy=main.target\n"
UNITS = {
    "main.target": "[Unit]\nWants=runs.service\n",
    "runs.service": STAY + "ExecReload=/bin/true\n" + INSTALL,
    "other.service": STAY + INSTALL,
    "static.service": STAY,
    "script.service": "[Unit]\nSourcePath=/etc/init.d/script\n" + STAY,
    "fixed.service": "[Unit]\nRefuseManualStop=yes\n" + STAY,
    "bus.socket": "[Unit]\nDescription=A socket\n[Socket]\nListenStream=/run/bus\n",
    "bus.service": STAY,
}
PATH = "/etc/systemd/system:/run/systemd/system"
SETUP = ["mkdir -p /run/systemd/system /etc/systemd/system-preset",
         "echo 'enable *' > /etc/systemd/system-preset/00-all.preset",
         *(f"cat > /run/systemd/system/{name} <<'END'\n{text}END" for name, text in UNITS.items())]
# (command line, exit status, all of standard output as a regular expression)
TABLE = (
    # deb-systemd-invoke
    (r"""systemctl --version --quiet | sed -n -r "s/systemd ([0-9]+) \(.*/\1/p" """, 0, r"2\d\d\n"),
    (r"systemctl --no-legend --quiet list-units 'user@*' | sed -n -r 's/.*user@([0-9]+).service.*/\1/p'", 0, ""),
    ("systemctl --system is-enabled -- 'other.service'", 1, "disabled\n"),
    ("systemctl --system is-enabled -- 'static.service'", 0, "static\n"),
    ("systemctl --system --quiet is-active -- runs.service", 0, ""),
    ("systemctl --system --quiet is-active -- other.service", 3, ""),
    ("systemctl --quiet --system start other.service static.service", 0, ""),
    ("systemctl --system --quiet is-active -- static.service", 0, ""),
    ("systemctl --quiet --system restart static.service", 0, ""),
    ("systemctl stop static.service", 0, ""),
    # deb-systemd-helper, update-rc.d
    ("systemctl --preset-mode=enable-only preset other.service", 0, ""),
    ("systemctl --quiet is-enabled other.service", 0, ""),
    ("systemctl --system daemon-reload", 0, ""),
    ("systemctl --root=/ --quiet disable other.service", 0, ""),
    ("systemctl is-enabled other.service", 1, "disabled\n"),
    ("systemctl --root=/ --quiet enable other.service", 0, ""),
    # invoke-rc.d
    ("systemctl is-active --quiet sysinit.target", 0, ""),
    ("systemctl --quiet is-enabled nothing.service", 1, ""),
    ("systemctl --quiet is-active nothing.service", 3, ""),
    ("systemctl show --value --property SourcePath script.service", 0, "/etc/init.d/script\n"),
    ("systemctl show --value --property SourcePath runs.service", 0, "\n"),
    ("systemctl -p LoadState show runs.service", 0, "LoadState=loaded\n"),
    ("systemctl -p LoadState show nothing.service", 0, "LoadState=not-found\n"),
    ("systemctl -p CanReload show runs.service", 0, "CanReload=yes\n"),
    ("systemctl -p CanReload show other.service", 0, "CanReload=no\n"),
    ("systemctl --quiet is-system-running", 0, ""),
    ("systemctl --no-block reload runs.service", 0, ""),
    ("systemctl status --full --no-pager runs.service | head -1", 0, r"● runs\.service.*\n"),
    ("systemctl status --full --no-pager static.service >/dev/null", 3, ""),
    ("systemctl --signal=KILL kill static.service", 0, ""),
    # service
    ("systemctl try-restart runs.service", 0, ""),
    (r"systemctl list-unit-files --full --type=socket 2>/dev/null | sed -ne 's/\.socket\s*[a-z]*\s*$/.socket/p'",
     0, ""),  # systemctl 252 has a third column, which the script does not expect
    # the LSB functions
    ("systemctl -p LoadState --value show runs.service 2>/dev/null", 0, "loaded\n"),
    ("systemctl -p CanReload --value show other.service 2>/dev/null", 0, "no\n"),
    ("systemctl --no-ask-password daemon-reload", 0, ""),
    ("systemctl --no-pager reload runs.service", 0, ""),
    # maintainer scripts
    ("systemctl -q is-active systemd-timesyncd.service", 3, ""),
    ("systemctl try-restart nothing.service", 5, ""),
    ("systemctl mask script.service && systemctl -p LoadState --value show script.service", 0, "masked\n"),
    ("systemctl unmask script.service && systemctl -p LoadState --value show script.service", 0, "loaded\n"),
    ("systemctl disable --now static.service", 0, ""),
    ("systemctl list-units --all --plain --no-legend --type=service --state=running 'runs*'",
     0, r"runs\.service +loaded +active +running .*\n"),
    # needrestart
    ("systemctl show --property=RefuseManualStop fixed.service", 0, "RefuseManualStop=yes\n"),
    ("systemctl -n 0 --full status $(systemctl show -P MainPID runs.service) | head -1", 0, r"\S+ runs\.service( .*)?\n"),
    ("systemctl list-dependencies -l --reverse --plain runs.service", 0, r"runs\.service\n +main\.target\n"),
    ("systemctl -q is-active display-manager.service && systemctl show --value -p Id display-manager.service", 3, ""),
    # postgresql-common
    ("systemctl is-active -q postgresql@15-main", 3, ""),
)


class Scripts(OnsetSystemTest):
    def test_every_command_line_is_answered_as_they_read_it(self):
        system = self.boot({}, setup=SETUP, options=["--unit-path=" + PATH])
        os.symlink(ONSET, system.path("systemctl"))
        environment = {"PATH": f"{system.work}:/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_UNIT_PATH": PATH}
        wrong = []
        for line, status, output in TABLE:
            shell = ["bash", "-c", "set -o pipefail; " + line] if "| head" not in line else ["bash", "-c", line]
            code, out, err = system.inside(shell, env=environment)
            if code != status or not re.fullmatch(output, out):
                wrong.append(f"{line}: {code}, not {status}; {out!r}, not {output!r}; {err!r}")
        self.assertEqual(wrong, [])


class Variables(OnsetSystemTest):
    def test_what_a_client_sets_reaches_what_is_started_from_then_on(self):
        show = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo \"$A|$B|$C|$NOTIFY_SOCKET\" > @work@/seen'\n"
        system = self.boot({"a.service": show, "main.target": ""},
                           config={"system.conf": "[Manager]\nDefaultEnvironment=B=default\n"})
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("seen"), "|default||\n")
        self.ok(system, "set-environment", "A=one two", "B=set", "NOTIFY_SOCKET=/nowhere")
        system.inside([ONSET, "import-environment", "C"], env={"C": "mine"})
        shown = self.ok(system, "show-environment").splitlines()
        self.assertLessEqual({"A=$'one two'", "B=set", "C=mine"}, set(shown))
        self.assertNotIn("NOTIFY_SOCKET", str(shown))
        self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("seen"), "one two|set|mine|\n")
        self.ok(system, "unset-environment", "A", "B", "C=other")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.read("seen"), "|default|mine|\n")

    def test_the_managers_lines_are_switched(self):
        system = self.boot({"main.target": ""}, log_level="info")
        self.assertEqual(self.ok(system, "log-level"), "info\n")
        self.ok(system, "log-level", "err")
        self.assertEqual(self.ok(system, "log-level"), "err\n")
        self.assertEqual(self.ok(system, "log-target"), "console\n")
        self.assertEqual(system.cli("log-target", "moon")[0], 1)


if __name__ == "__main__":
    unittest.main()
