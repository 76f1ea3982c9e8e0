#!/usr/bin/env python3
"""An engine that dies, or has no end, costs a world and not its seed: onset-sim with a trap in one
world tells of it, makes it small, and goes on with the seeds behind.

    lost_worlds.py PATH_OF_ONSET_SIM
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

SIM = os.path.abspath(sys.argv.pop(1))


class LostWorlds(unittest.TestCase):
    def check(self, trap, jobs, told):
        seed = trap.split(":")[1]
        with tempfile.TemporaryDirectory() as folder:
            command = [SIM, "--seeds", "40", "--jobs", str(jobs), "--keep-going", "--patience", "5", "--trap", trap]
            done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(f"seed {seed}: {told}", done.stdout)
            self.assertRegex(done.stdout.splitlines()[-1], r"^40 worlds, \d{4,} steps, \d+ steps a second, 1 failed$")
            with open(f"{folder}/sim-{seed}.world") as file:
                text = file.read()
            events = re.findall("^# .+\nevent (.*)", text, re.MULTILINE)
            self.assertEqual([event.split()[0] for event in events], [trap.split(":")[2]])

    def test_an_engine_that_dies_is_told_with_its_seed_by_one_process(self):
        self.check("abort:7:request", 1, "died: by Aborted")

    def test_an_engine_that_dies_is_told_with_its_seed_by_two_processes(self):
        self.check("abort:8:request", 2, "died: by Aborted")

    def test_an_engine_that_loops_is_told_with_its_seed_by_two_processes(self):
        self.check("loop:8:request", 2, "no end: after 5 s")

    def test_an_engine_that_loops_is_told_with_its_seed_by_one_process(self):
        command = [SIM, "--seeds", "40", "--keep-going", "--no-shrink", "--patience", "5", "--trap", "loop:7:exit"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.splitlines()[0], "seed 7: no end: after 5 s")
        self.assertRegex(done.stdout.splitlines()[-1], r"^40 worlds, .* 1 failed$")

    def test_without_keep_going_the_first_lost_world_is_the_last(self):
        command = [SIM, "--seeds", "40", "--no-shrink", "--trap", "abort:7:request"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1], r"^7 worlds, .* 1 failed$")


if __name__ == "__main__":
    unittest.main()
