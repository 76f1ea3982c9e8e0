"""What the boot took, as the command line tells it, and how many units may be up at once. Nothing
sleeps: what is slow waits until the test lets it go."""

import os
import unittest
import xml.etree.ElementTree as ElementTree

from harness import ONSET, until
from manager_harness import OnsetSystemTest

#: Up once somebody has opened the FIFO of its name for reading.
GATED = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo up > @work@/{}'\n"
SVG = "{http://www.w3.org/2000/svg}"


def gated(name, unit=""):
    return f"[Unit]\nDefaultDependencies=no\n{unit}\n" + GATED.format(name)


class BootTimes(OnsetSystemTest):
    def boot_chain(self):
        """main.target after last.service after middle.service after first.service; aside.service ends
        before middle.service begins."""
        wants = "last.service middle.service first.service aside.service simple.service"
        system = self.boot({
            "main.target": f"[Unit]\nDefaultDependencies=no\nWants={wants}\nAfter={wants}\n",
            "first.service": gated("first"),
            "aside.service": gated("aside", "After=first.service"),
            "middle.service": gated("middle", "After=first.service aside.service"),
            "last.service": gated("last", "After=middle.service first.service"),
            "simple.service": "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n",
        }, wait=False, setup=[f"mkfifo @work@/{name}" for name in ("first", "aside", "middle", "last")])
        until(system.running_pid, "it has begun")
        until(lambda: system.cli("is-system-running")[1].strip() == "starting", "it answers")
        code, out, err = system.cli("time")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("Bootup is not yet finished.", err)
        for name in ("first", "aside", "middle", "last"):
            system.until_state(f"{name}.service", "activating")
            with open(system.path(name)) as fifo:
                self.assertEqual(fifo.read(), "up\n")
        self.assertEqual(system.wait_until_up(), "running")
        return system

    def test_the_texts_tell_what_was_waited_for(self):
        system = self.boot_chain()
        code, out, err = system.cli("time")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\AStartup finished in [0-9a-z. ]+ \(userspace\)\n"
                              r"main.target reached after [0-9a-z. ]+ in userspace\n\Z")
        code, out, err = system.cli("critical-chain", "--no-legend")
        self.assertEqual((code, err), (0, ""))
        names = [line.lstrip("└─ ").split()[0] for line in out.splitlines()]
        self.assertEqual(names[:5], ["main.target", "last.service", "middle.service", "aside.service", "first.service"])
        self.assertRegex(out.splitlines()[1], r"\A└─last.service @[0-9a-z. ]+ \+[0-9a-z. ]+\Z")
        self.assertEqual(system.cli("critical-chain", "middle.service", "--no-legend")[1].split()[0], "middle.service")
        code, out, _ = system.cli("blame")
        blamed = [line.split()[-1] for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertTrue({"first.service", "aside.service", "middle.service", "last.service"} <= set(blamed), blamed)
        self.assertNotIn("simple.service", blamed)

    def test_the_plot_is_xml_with_every_unit_in_it(self):
        system = self.boot_chain()
        code, out, err = system.cli("plot")
        self.assertEqual((code, err), (0, ""))
        picture = ElementTree.fromstring(out)
        self.assertEqual(picture.tag, f"{SVG}svg")
        texts = [text.text.split(" (")[0] for text in picture.iter(f"{SVG}text")]
        for name in ("first", "aside", "middle", "last", "simple"):
            self.assertEqual(texts.count(f"{name}.service"), 1, name)
        self.assertEqual(texts.count("main.target"), 1)
        self.assertNotIn("script", out)

    def test_by_the_name_of_systemd_analyze_the_same(self):
        system = self.boot_chain()
        os.symlink(ONSET, system.path("systemd-analyze"))
        code, out, _ = system.inside([system.path("systemd-analyze"), "blame"])
        self.assertEqual((code, out), (0, system.cli("blame")[1]))
        self.assertEqual(system.inside([system.path("systemd-analyze"), "stop", "simple.service"])[0], 1)

    def test_the_times_are_kept_for_the_next_boot(self):
        system = self.boot_chain()
        self.assertEqual(system.cli("save-boot-times"), (0, "", ""))
        code, out, _ = system.inside(["cat", "/var/lib/onset/boot-times"])
        self.assertEqual(code, 0)
        head, *lines = out.splitlines()
        self.assertEqual(head, "onset boot-times 1")
        units = {name: int(us) for us, name in (line.split(" ", 1) for line in lines)}
        self.assertTrue({"first.service", "aside.service", "middle.service", "last.service"} <= set(units), units)
        self.assertTrue(all(us > 0 for us in units.values()), units)


class Slots(OnsetSystemTest):
    SERVICE = "[Unit]\nDefaultDependencies=no\n[Service]\nSlice=few.slice\nExecStart=/bin/sleep 1000\n"

    def test_a_slice_lets_in_as_many_as_it_says(self):
        """As systemd's own test of these settings goes."""
        system = self.boot({"main.target": "[Unit]\nDefaultDependencies=no\n",
                            "few.slice": "[Slice]\nConcurrencySoftMax=3\nConcurrencyHardMax=4\n",
                            "s@.service": self.SERVICE})
        for name in "abc":
            self.assertEqual(system.cli("start", f"s@{name}.service"), (0, "", ""))
        self.assertEqual(system.cli("start", "--no-block", "s@d.service"), (0, "", ""))
        self.assertEqual(system.show("s@d.service", "ActiveState"), "inactive")
        code, out, _ = system.cli("list-jobs", "--before", "--no-legend")
        self.assertIn("s@d.service start waiting", " ".join(out.split()))
        self.assertIn("waiting for a slot in few.slice (ConcurrencySoftMax=3)", out)
        self.assertIn("waiting for a slot in few.slice", system.cli("status", "s@d.service")[1])
        code, _, err = system.cli("start", "s@e.service")
        self.assertEqual(code, 1)
        self.assertIn("s@e.service is one too many in few.slice (ConcurrencyHardMax=4).", err)
        self.assertEqual(system.cli("stop", "s@b.service"), (0, "", ""))
        system.until_state("s@d.service", "active")
        self.assertEqual(system.show("few.slice", "ConcurrencySoftMax"), "3")
        self.assertEqual(system.leave(), 0)

    def test_only_so_many_units_come_up_at_once(self):
        wants = "a.service b.service c.service"
        system = self.boot({
            "main.target": f"[Unit]\nDefaultDependencies=no\nWants={wants}\n",
            **{f"{name}.service": gated(name) for name in "abc"},
        }, wait=False, setup=[f"mkfifo @work@/{name}" for name in "abc"],
            config={"system.conf": "[Manager]\nStartConcurrencyMax=1\n"})
        until(system.running_pid, "it has begun")
        until(lambda: system.cli("is-system-running")[1].strip() == "starting", "it answers")
        for done in range(3):
            states = [system.show(f"{name}.service", "ActiveState") for name in "abc"]
            self.assertEqual((states.count("active"), states.count("activating")), (done, 1), states)
            name = "abc"[states.index("activating")]
            with open(system.path(name)) as fifo:
                fifo.read()
            system.until_state(f"{name}.service", "active")
            if done < 2:
                until(lambda: any(system.show(f"{n}.service", "ActiveState") == "activating" for n in "abc"), "the next")
        self.assertEqual(system.wait_until_up(), "running")


if __name__ == "__main__":
    unittest.main()
