"""fstab becomes the units that systemd's own generator makes of it."""

import os
import subprocess
import tempfile
import unittest

from harness import ONSET

SYSTEMD = os.environ.get("SYSTEMD_ROOT", "/")
GENERATOR = "lib/systemd/system-generators/systemd-fstab-generator"
OURS = os.path.join(os.path.dirname(ONSET), "tests", "fstab_units")

TABLES = {
    "mounts": r"""
# a comment
/dev/vdb /home ext4 noatime,nofail 0 2
UUID=1-2 /a auto
LABEL="aä/b%" /w ext4 , 0 0
PARTLABEL=x\040y /deep//er/ ext4 ro 0 1
/dev/vdc /usr ext4 ro,nofail 0 1
/dev/vdc /minus xfs defaults 0 -1
tmpfs /with%percent tmpfs size=5%,nofail,fail 0 2
/a\040c /b none bind,rw 0 0
/dev/vdd /st/ ext4 ,defaults,,ro 0 2
/dev/vdd /loop ext4 loop,x-systemd.rw-only 0 2
none /aut autofs x 0 0
proc /proc proc defaults 0 0
x /sys/fs/cgroup cgroup2
tmpfs /home/below tmpfs noauto
""",
    "dependencies": r"""
tmpfs /a tmpfs x-systemd.requires=foo.service,x-systemd.after=/a/b,x-systemd.before=z.service
tmpfs /b tmpfs x-systemd.requires=foo,x-systemd.requires=/dev/vdq,x-systemd.after=bad.suffix
tmpfs /c tmpfs x-systemd.requires-mounts-for=/m/x,x-systemd.wanted-by=w.target,x-systemd.required-by=r.service
tmpfs /d tmpfs noauto,x-systemd.required-by=local-fs.target
""",
    "network": r"""
//srv/x /cifs cifs ro 0 0
srv:/a /nfs nfs4 nofail,x-systemd.mount-timeout=90 0 0
srv:/b /bg nfs bg,x-systemd.mount-timeout=9 0 0
srv:/b /bgfg nfs4 ro,bg,fg 0 0
/dev/vdk /sshfs fuse.sshfs _netdev,x-systemd.device-timeout=0 0 0
/dev/vdl /iscsi ext4 _netdev,noauto 0 2
""",
    "times": r"""
/dev/vda /a ext4 x-systemd.device-timeout=5,ro 0 0
/dev/vdb /b ext4 x-systemd.device-timeout=x,x-systemd.mount-timeout=1h 0 0
tmpfs /c tmpfs x-systemd.device-timeout=5,x-systemd.mount-timeout=0 0 0
/dev/vdc /d ext4 x-systemd.mount-timeout=x,x-systemd.device-timeout=infinity 0 0
""",
    "automounts": r"""
tmpfs /t tmpfs x-systemd.automount,noauto,nofail 0 0
tmpfs /t2 tmpfs noauto,x-systemd.automount,x-systemd.idle-timeout=2min 0 x
/dev/vdm /opts2 ext4 x-systemd.mount-timeout=1h,comment=systemd.automount 1 3
srv:/b /nfs nfs x-systemd.automount,x-systemd.wanted-by=w.target,x-systemd.idle-timeout=zz 0 0
""",
    "swaps": r"""
/dev/vdd none swap pri=5,discard,nofail 0 0
/dev/vde none swap x-systemd.makefs,noauto,x-systemd.device-timeout=4 0 0
PARTLABEL=sw swap swap sw,pri=x 0 0
/swapfile none swap defaults 0 0
""",
    "made and grown": r"""
/dev/vdb /home ext4 noatime,nofail,x-systemd.makefs,x-systemd.growfs 0 2
/dev/vdr /r ext4 x-systemd.makefs,x-systemd.automount 0 2
none /s tmpfs x-systemd.makefs,x-systemd.growfs 0 0
UUID=1 /u bind rbind,x-systemd.makefs 0 2
""",
    "broken": r"""
broken
two words
/dev/vdf /dup ext4 defaults 0 0
/dev/vdg /dup ext4 defaults 0 0
/dev/vdg relative ext4 defaults 0 0
/dev/vdi /a/../b ext4 defaults 0 0
/dev/vdo none ext4 defaults 0 0
/dev/vdp /good ext4
""",
}

# What onset means to do otherwise, by name.
NOT_WRITTEN = {
    "blockdev@": "no unit of onset's has these targets",
    "systemd-repart.service": "nor this one",
}
NO_DEVICES = "the services that make a file system do not need its device's unit"
LISTS = ("After", "Before", "Requires", "Wants", "BindsTo", "RequiresMountsFor", "Conflicts")
NOT_COMPARED = ("SourcePath", "Documentation", "Description")

SCRIPT = r"""
set -e
mount -t tmpfs none "$R"
cd "$R"
mkdir -p usr proc sys dev etc out/ours out/theirs systemd
for folder in lib lib64; do [ ! -e /$folder ] || { mkdir $folder; mount --rbind /$folder $folder; }; done
for folder in usr proc sys dev; do mount --rbind /$folder $folder; done
mount --rbind "$SYSTEMD" systemd
cp "$OURS" ours
cp "$TABLE" etc/fstab
chroot . /ours /etc/fstab /out/ours
chroot . /usr/bin/env -i PATH=/usr/sbin LD_LIBRARY_PATH=/systemd/usr/lib/x86_64-linux-gnu/systemd SYSTEMD_LOG_LEVEL=emerg \
  SYSTEMD_LOG_TARGET=console SYSTEMD_IN_INITRD=0 SYSTEMD_PROC_CMDLINE= /systemd/$GENERATOR /out/theirs /out/theirs /out/theirs || true
tar -C out -cf "$RESULT" ours theirs
"""


def tree(folder):
    """{path: {(section, key): set of words, or list of values}}; of links where they lead."""
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            where = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[where] = os.path.basename(os.readlink(path))
                continue
            unit, section = found.setdefault(where, {}), ""
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
            for line in lines:
                if line.startswith("["):
                    section = line
                elif line and not line.startswith("#"):
                    key, value = line.split("=", 1)
                    if key in LISTS:
                        unit.setdefault((section, key), set()).update(value.split())
                    elif key not in NOT_COMPARED:
                        unit.setdefault((section, key), []).append(value)
    return found


def as_onset_writes(units):
    """Theirs, with the differences by name taken out."""
    for name in [name for name in units if "systemd-remount-fs.service" in name]:
        del units[name]  # unit/machine_links has it
    for unit in units.values():
        if isinstance(unit, str):
            continue
        for key in [key for key in unit if key[1] in LISTS]:
            unit[key] = {word for word in unit[key] if not word.startswith(tuple(NOT_WRITTEN))}
            if key[1] == "BindsTo":
                unit[key] -= {"%i.device"}  # NO_DEVICES
            if not unit[key]:
                del unit[key]
        for key in [key for key in unit if key[1] == "ExecStart"]:
            unit[key] = [value.replace("/lib/systemd/systemd-", "@/proc/1/exe onset machine ") for value in unit[key]]
    return units


@unittest.skipUnless(os.path.exists(os.path.join(SYSTEMD, GENERATOR)),
                     "no systemd-fstab-generator; SYSTEMD_ROOT= names an unpacked package")
class Units(unittest.TestCase):
    maxDiff = None

    def test_units_are_those_that_systemd_makes(self):
        for name, table in TABLES.items():
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="onset-fstab-") as folder:
                path, result = os.path.join(folder, "fstab"), os.path.join(folder, "result.tar")
                root = os.path.join(folder, "root")
                os.mkdir(root)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(table)
                subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT], check=True,
                               stdout=subprocess.DEVNULL,
                               env={**os.environ, "R": root, "OURS": OURS, "TABLE": path, "SYSTEMD": SYSTEMD,
                                    "GENERATOR": GENERATOR, "RESULT": result})
                subprocess.run(["tar", "-C", folder, "-xf", result], check=True)
                ours, theirs = (tree(os.path.join(folder, side)) for side in ("ours", "theirs"))
                self.assertTrue(ours)
                self.assertEqual(ours, as_onset_writes(theirs))


if __name__ == "__main__":
    unittest.main()
