"""Inits as the first process of a machine: a guest under QEMU whose services, kernel and memory
are the same for all. tools/bench guest prepares what it takes.

The figure is the time from exec of the init to the last service's stamp. With -icount a guest's
clock counts its instructions, one a nanosecond, whatever else the machine does; so that is what
the table compares. Every guest is an initramfs: no disk is waited for.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))

from guest import PARTS, kernel  # noqa: E402

MACHINE = ["qemu-system-x86_64", "-cpu", "qemu64", "-smp", "1", "-m", "768", "-nographic", "-no-reboot", "-nic", "none"]
DEADLINE = 600
RESULT = re.compile(r"begin=(\d+) end=(\d+) count=(\d+) pid1=(\d+) all=(\d+) managers=(\d+)")
# What systemd needs of its root to be an init with nothing but services, and as Debian starts it.
SYSTEMD = ("etc/systemd", "etc/udev", "etc/pam.d", "usr/lib/systemd", "usr/lib/tmpfiles.d", "usr/lib/sysusers.d",
           "usr/lib/sysctl.d", "usr/lib/modules-load.d", "usr/lib/udev", "usr/lib/environment.d", "etc/sysctl.d",
           "etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/login.defs", "etc/shells", "etc/os-release", "usr/lib/os-release",
           "usr/share/dbus-1", "etc/security")
PROGRAMS = ("systemctl", "journalctl", "systemd-*", "udevadm", "mount", "umount", "swapon", "swapoff", "agetty", "login",
            "kmod", "modprobe", "sh", "dash", "sulogin", "fsck", "mkdir", "true", "cat", "sleep")


class Root:
    """The tree of an initramfs."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("bench", "dev", "proc", "sys", "run", "tmp", "etc", "var", "usr/bin", "root"):
            os.makedirs(self.path(name))
        for name in ("bin", "sbin", "lib", "lib64"):
            if name != "lib64":
                os.makedirs(self.path("usr", name), exist_ok=True)
            os.symlink("usr/" + name, self.path(name))
        os.makedirs(self.path("usr", "lib64"), exist_ok=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def archive(self):
        path = self.folder + ".cpio.gz"
        subprocess.run(f"find . | cpio -o -H newc --quiet -R 0:0 | gzip -1 > {path}", shell=True, cwd=self.folder, check=True)
        return path


# ---- what the inits are given ---------------------------------------------------------


def write_units(root, count, plain):
    """`plain`: without the dependencies that every service has by default, and nothing else is started."""
    lines = "DefaultDependencies=no\n" if plain else ""
    names = [f"s{i:05}.service" for i in range(count + 1)]  # with none there is one, which marks the end
    for name in names:
        root.write(f"etc/systemd/system/{name}", f"[Unit]\nDescription={name}\n{lines}[Service]\nExecStart=/bench/probe\n")
    wants = "".join(f"Wants={name}\n" for name in names)
    if plain:
        root.write("etc/systemd/system/bench.target", f"[Unit]\nDescription=All\nDefaultDependencies=no\n{wants}")
        return
    for name in names:
        folder = root.path("etc/systemd/system/multi-user.target.wants")
        os.makedirs(folder, exist_ok=True)
        os.symlink("../" + name, os.path.join(folder, name))


def libraries(root, debian):
    """What the programs in the root are linked with, from there."""
    wanted = [os.path.join(base, name) for base, _, names in os.walk(root.folder) for name in names]
    needed = set()
    for path in wanted:
        if os.path.islink(path) or not os.access(path, os.X_OK):
            continue
        inside = "/" + os.path.relpath(path, root.folder)
        said = subprocess.run(["chroot", debian, "ldd", inside], capture_output=True, text=True, check=False).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", said))
    for name in needed:
        target = root.path(name.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(debian, name.lstrip("/")), target)


def copy_systemd(root, debian):
    for name in SYSTEMD:
        source = os.path.join(debian, name)
        target = root.path(name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)
    for pattern in PROGRAMS:
        found = subprocess.run(f"ls -d usr/bin/{pattern} usr/sbin/{pattern} 2>/dev/null", shell=True,
                               cwd=debian, capture_output=True, text=True, check=False).stdout.split()
        for name in found:
            target = root.path(name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.lexists(target):
                shutil.copy2(os.path.join(debian, name), target, follow_symlinks=False)
    libraries(root, debian)
    root.write("etc/fstab", "")
    root.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")


class Init:
    """`line`: what is executed; `prepare(root, count)` lays out what it reads; `before`: what the
    shell does first, unmeasured."""

    def __init__(self, name, line, prepare, before=""):
        self.name, self.line, self.prepare, self.before = name, line, prepare, before


def field(options):
    def floor(root, count):
        pass

    def busybox(root, count):
        shutil.copy2(os.path.join(PARTS, "busybox"), root.path("usr/bin/busybox"))
        # Of lines with one command it keeps the last.
        root.write("etc/inittab", "".join(f"::once:/bench/probe {i}\n" for i in range(count + 1)))

    def onset(root, count, plain):
        subprocess.run(["strip", "-o", root.path("usr/bin/onset"), options.onset], check=True)
        root.write("etc/passwd", "root::0:0:root:/root:/bin/sh\n")
        root.write("etc/group", "root:x:0:\ntty:x:5:\n")
        root.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        write_units(root, count, plain)

    def systemd(root, count, plain):
        copy_systemd(root, options.debian)
        write_units(root, count, plain)
        if plain:
            for name in ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket",
                         "systemd-journald-audit.socket", "systemd-udevd.service"):
                link = root.path("etc/systemd/system", name)
                if not os.path.lexists(link):
                    os.symlink("/dev/null", link)

    systemd_path = "/lib/systemd/systemd"
    # The controllers that systemd and onset give to every unit.
    cgroups = ("/bench/busybox mount -t sysfs none /sys\n/bench/busybox mount -t cgroup2 none /sys/fs/cgroup\n"
               "echo +memory +pids > /sys/fs/cgroup/cgroup.subtree_control\n")
    alone = ["--unit=bench.target", "--show-status=no"]
    return [
        Init("floor", ["/bench/floor_start", "vfork", "{count}", "/bench/probe"], floor),
        Init("floor, a cgroup each", ["/bench/floor_start", "cgroup", "{count}", "/bench/probe"], floor, cgroups),
        Init("busybox init", ["/usr/bin/busybox", "init"], busybox),
        Init("onset alone", ["/usr/bin/onset", "init", *alone], lambda r, c: onset(r, c, True)),
        Init("systemd alone", [systemd_path, *alone, "--log-target=null"], lambda r, c: systemd(r, c, True)),
        Init("onset, a whole boot", ["/usr/bin/onset", "init", "--unit=multi-user.target", "--show-status=no"],
             lambda r, c: onset(r, c, False)),
        Init("Debian's systemd, a whole boot", [systemd_path, "--unit=multi-user.target", "--show-status=no"],
             lambda r, c: systemd(r, c, False)),
    ]


# ---- a run ----------------------------------------------------------------------------


def make_archive(work, init, count, programs):
    root = Root(os.path.join(work, "root"))
    for name in ("guest_start", "floor_start", "probe"):
        shutil.copy2(os.path.join(programs, name), root.path("bench", name))
    init.prepare(root, count)
    words = [word.format(count=count + 1) for word in init.line]
    os.makedirs(root.path("bench"), exist_ok=True)
    # The kernel gives its own words to the first program: what is run stands in a script of one line,
    # and the shell is gone before anything is measured.
    shutil.copy2(os.path.join(PARTS, "busybox"), root.path("bench/busybox"))
    os.symlink("busybox", root.path("bench/sh"))
    quoted = " ".join(words)
    root.write("init", f"#!/bench/sh\n{init.before}exec /bench/guest_start {count + 1} {quoted}\n", 0o755)
    size = sum(os.lstat(os.path.join(base, name)).st_size for base, _, names in os.walk(root.path("usr")) for name in names)
    archive = root.archive()
    shutil.rmtree(root.folder)
    return archive, size


def run(archive, work, icount):
    image, _ = kernel()
    result = os.path.join(work, "result")
    console = os.path.join(work, "console")
    line = [*MACHINE, "-kernel", image, "-initrd", archive, "-serial", f"file:{console}", "-serial", f"file:{result}",
            "-monitor", "none", "-append", "console=ttyS0 quiet rdinit=/init panic=-1"]
    if icount:
        line += ["-icount", "shift=0,sleep=off"]
    try:
        subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        pass
    with open(result, encoding="utf-8", errors="replace") as file:
        found = RESULT.search(file.read())
    if not found:
        with open(console, encoding="utf-8", errors="replace") as file:
            print(f"no result: {file.read()[-600:]}", file=sys.stderr)
        return None
    begin, end, _, pid1, total, managers = map(int, found.groups())
    return {"ns": end - begin, "pid1": pid1, "all": total, "managers": managers}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench guest")
    parser.add_argument("--onset", required=True)
    parser.add_argument("--debian", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--counts", default="0,50,200")
    options = parser.parse_args()
    print("\n## A machine: exec of the first process to the last of N services, in a guest of one CPU\n")
    print("| services | init | million instructions | × floor | seconds | PSS of PID 1 | PSS of all managers | their processes | files |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for count in map(int, options.counts.split(",")):
        floor = None
        for init in field(options):
            if options.only and options.only not in init.name and init.name != "floor":
                continue
            with tempfile.TemporaryDirectory(prefix="onset-bench-") as work:
                archive, size = make_archive(work, init, count, options.programs)
                counted = run(archive, work, True)
                timed = [r for r in (run(archive, work, False) for _ in range(options.runs)) if r]
            if counted is None:
                print(f"| {count} | {init.name} | did not come up | | | | | | |", flush=True)
                continue
            floor = floor or counted["ns"]
            seconds = f"{statistics.median(r['ns'] for r in timed) / 1e9:.3f}" if timed else ""
            print(f"| {count} | {init.name} | {counted['ns'] / 1e6:,.1f} | {counted['ns'] / floor:.2f} | {seconds} | "
                  f"{counted['pid1']:,} KB | {counted['all']:,} KB | {counted['managers']} | {size / 1e6:,.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
