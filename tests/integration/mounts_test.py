"""Mount units on a real kernel, in a mount namespace of their own: mounted and unmounted by jobs,
followed when others do it, in the right order, and thousands of them.
"""

import os
import unittest

from manager_harness import OnsetSystemTest

MAIN = "[Unit]\nDefaultDependencies=no\n"
BARE = "[Unit]\nDefaultDependencies=no\n"


def unit_of(path):
    return path.strip("/").replace("-", "\\x2d").replace("/", "-") + ".mount"


class Mounts(OnsetSystemTest):
    def boot_with(self, mounts, **kind):
        """`mounts`: name below the work folder → text of [Mount], or of the whole unit."""
        self.system = self.boot({"main.target": MAIN}, **kind)
        units = {}
        for name, text in mounts.items():
            path = self.system.path(name)
            whole = text if "[Unit]" in text else BARE + "[Mount]\n" + text
            units[unit_of(path)] = whole.replace("@where@", path)
        self.system.write(units)
        self.assertEqual(self.system.cli("daemon-reload")[0], 0)
        return self.system

    def unit(self, name):
        return unit_of(self.system.path(name))

    def show(self, name, prop):
        return self.system.show(self.unit(name), prop)

    def is_mounted(self, name):
        return f" {self.system.path(name)} " in mountinfo(self.system)

    def test_a_mount_unit_mounts_and_unmounts_and_its_mount_point_is_made(self):
        system = self.boot_with({"a/b": "What=tmpfs\nType=tmpfs\nOptions=mode=0700,size=1M\nDirectoryMode=0711\n"})
        self.assertEqual(system.cli("start", self.unit("a/b"))[0], 0)
        self.assertTrue(self.is_mounted("a/b"))
        self.assertEqual(self.show("a/b", "SubState"), "mounted")
        self.assertEqual(self.show("a/b", "Where"), system.path("a/b"))
        self.assertEqual(system.cli("stop", self.unit("a/b"))[0], 0)
        self.assertFalse(self.is_mounted("a/b"))
        self.assertEqual(self.show("a/b", "ActiveState"), "inactive")
        self.assertEqual(os.stat(system.path("a/b")).st_mode & 0o777, 0o711)

    def test_a_reload_mounts_again_with_the_options(self):
        system = self.boot_with({"a": "What=tmpfs\nType=tmpfs\nOptions=ro\n"})
        self.assertEqual(system.cli("start", self.unit("a"))[0], 0)
        run(system, "mount", "-o", "remount,rw", system.path("a"))
        run(system, "touch", system.path("a/file"))
        code, _, err = system.cli("reload", self.unit("a"))
        self.assertEqual(code, 0, err)
        self.assertEqual(self.show("a", "SubState"), "mounted")
        line = [l for l in mountinfo(system).splitlines()
                if f" {system.path('a')} " in l]
        self.assertIn("ro", line[0].split()[5].split(","))

    def test_what_others_mount_and_unmount_is_followed(self):
        system = self.boot_with({"a": "What=tmpfs\nType=tmpfs\n"})
        os.mkdir(system.path("a"))
        run(system, "mount", "-t", "tmpfs", "none", system.path("a"))
        self.system.until_state(self.unit("a"), "active/mounted")
        run(system, "umount", system.path("a"))
        self.system.until_state(self.unit("a"), "inactive/dead")

    def test_a_mount_that_fails_says_why(self):
        system = self.boot_with({"a": "What=/dev/nothing-there\nType=ext4\n"})
        code, _, err = system.cli("start", self.unit("a"))
        self.assertEqual(code, 1)
        self.assertEqual(self.show("a", "ActiveState"), "failed")
        self.assertEqual(self.show("a", "Result"), "exit-code")
        system.until_logged("nothing-there")

    def test_a_service_has_the_mounts_that_it_requires(self):
        system = self.boot_with({"a": "What=tmpfs\nType=tmpfs\n", "a/in/side": "What=tmpfs\nType=tmpfs\n"})
        system.write({"user.service": BARE + "RequiresMountsFor=@work@/a/in/side/deep\n"
                      "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "
                      "'mountpoint -q @work@/a && mountpoint -q @work@/a/in/side'\n"})
        self.assertEqual(system.cli("daemon-reload")[0], 0)
        self.assertEqual(system.cli("start", "user.service")[0], 0)
        # The mount below goes first, and with it who needs it.
        self.assertEqual(system.cli("stop", self.unit("a"))[0], 0)
        self.assertFalse(self.is_mounted("a/in/side"))
        self.assertFalse(self.is_mounted("a"))
        self.assertEqual(system.show("user.service", "ActiveState"), "inactive")

    def test_mounts_on_one_another_are_all_taken_off(self):
        system = self.boot_with({"a": "What=tmpfs\nType=tmpfs\n"})
        self.assertEqual(system.cli("start", self.unit("a"))[0], 0)
        for _ in range(3):
            run(system, "mount", "-t", "tmpfs", "none", system.path("a"))
        self.assertEqual(system.cli("stop", self.unit("a"))[0], 0)
        self.assertFalse(self.is_mounted("a"))

    def test_without_mount_8_the_binary_mounts_by_itself(self):
        system = self.boot_with(
            {"from": "What=tmpfs\nType=tmpfs\n",
             "to": "What=@work@/from/sub\nOptions=bind,ro,nosuid\n"},
            # The last one takes away what mounts.
            setup=["mount --bind /dev/null $(readlink -f /bin/umount)",
                   "mount --bind /dev/null $(readlink -f /bin/mount)"])
        self.assertEqual(system.cli("start", self.unit("from"))[0], 0)
        code, _, err = system.cli("start", self.unit("to"))
        self.assertEqual(code, 0, err + system.log())
        line = [l for l in mountinfo(system).splitlines()
                if f" {system.path('to')} " in l][0]
        self.assertLessEqual({"ro", "nosuid"}, set(line.split()[5].split(",")))
        self.assertEqual(system.cli("stop", self.unit("from"))[0], 0)
        self.assertFalse(self.is_mounted("to"))
        self.assertFalse(self.is_mounted("from"))

    def test_P23_thousands_of_mounts_cost_the_engine_little(self):
        system = self.boot_with({"a": "What=tmpfs\nType=tmpfs\n"})
        os.mkdir(system.path("many"))
        for i in range(4000):
            os.mkdir(system.path(f"many/{i}"))
        before = cpu_of(system.pid())
        run(system, "sh", "-c", f"cd {system.path('many')}; i=0; while [ $i -lt 4000 ]; do"
                      " echo --bind $i $i; i=$((i+1)); done | xargs -n 3 mount", seconds=120)
        self.assertEqual(system.cli("start", self.unit("a"))[0], 0)
        self.assertEqual(self.show("a", "SubState"), "mounted")
        spent = cpu_of(system.pid()) - before
        # Each reading of that table is some 10 ms: five a second at most, not 4000.
        self.assertLess(spent, 3.0)
        # At rest none of it is looked at.
        rest = cpu_of(system.pid())
        self.system.until_state(self.unit("a"), "active/mounted")
        self.assertLess(cpu_of(system.pid()) - rest, 0.3)


def run(system, *argv, **options):
    code, out, err = system.inside(list(argv), **options)
    if code != 0:
        raise AssertionError(f"{argv}: {code} {err}")
    return out


def mountinfo(system):
    return run(system, "cat", "/proc/self/mountinfo")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
