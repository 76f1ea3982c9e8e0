"""Every allocation of every request fails once, one by one (failing_requests.py)."""

import os
import re
import subprocess
import unittest

from harness import PYTHON, SANITIZED

SWEEP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing_requests.py")
PARTS = max(2, os.cpu_count() or 1)  # PID 1 and who asks it take turns
SUMMARY = re.compile(r"^(\d+) requests, (\d+) cases, (\d+) failed in PID 1, 0 wrong$")


@unittest.skipIf(SANITIZED, "a sanitizer's own allocations are not onset's")
class FailingRequests(unittest.TestCase):
    def test_every_method_has_a_request(self):
        from failing_requests_table import TABLE, methods

        self.assertEqual(set(methods()) - {row.method for row in TABLE}, set())

    def test_P1_pid_1_survives_each_allocation_of_each_request_that_fails(self):
        from failing_allocations import BUILD_OF_TESTS
        from failing_requests_table import TABLE
        from small_system import build_service

        service = build_service(BUILD_OF_TESTS)
        parts = [subprocess.Popen([PYTHON, "-B", SWEEP, service, "--part", f"{part}/{PARTS}"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for part in range(PARTS)]
        outputs = [part.communicate()[0] for part in parts]
        wrong = "\n".join(line for output in outputs for line in output.splitlines() if line.startswith("WRONG"))
        self.assertEqual(wrong, "")
        counts = [SUMMARY.match((output.splitlines() or [""])[-1]) for output in outputs]
        self.assertTrue(all(counts), "\n".join(outputs))
        requests, cases, failed = (sum(int(count[i]) for count in counts) for i in (1, 2, 3))
        self.assertEqual(requests, len(TABLE))
        self.assertGreater(failed, cases // 2)

    def test_P1_pid_1_ends_in_order_whatever_allocation_of_the_request_to_end_fails(self):
        from failing_allocations import BUILD_OF_TESTS
        from small_system import build_service

        done = subprocess.run([PYTHON, "-B", SWEEP, build_service(BUILD_OF_TESTS), "--shutdown", "11"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout.splitlines()[-1], SUMMARY)

    def test_what_is_not_as_it_was_is_noticed(self):
        from failing_requests import differences, shape

        wanted = shape([{"parameters": {"unit": {"name": "a.service", "load": "loaded"}, "job": 3}}])
        for seen, what in (
                ([{"parameters": {"unit": {"name": "b.service", "load": "loaded"}, "job": 4}}], []),
                ([{"parameters": {"unit": {"name": "a.service", "load": "error"}, "job": 4}}],
                 ['[0].parameters.unit.load is "error", was "loaded"']),
                ([{"parameters": {"unit": {"name": "a.service", "load": "loaded"}, "job": None}}],
                 ['[0].parameters.job is "NoneType", was "int"']),
                ([], [' is [], was ' + '[{"parameters": {"unit": {"name": "str", "load": "loaded"}, "job": "int"}}]'])):
            self.assertEqual(list(differences(shape(seen), wanted)), what)


if __name__ == "__main__":
    unittest.main()
