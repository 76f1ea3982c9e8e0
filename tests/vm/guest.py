"""A virtual machine that boots onset as its first process, under QEMU.

    guest = Guest(disk=True)             from a Debian root on ext4, or from an initramfs of busybox;
                                         `initrd`: onset in the initramfs finds the root
    guest.until("login:")                the console, a regular expression
    status, output = guest.run("onset status")     a command in it, over a second serial port
    guest.power_off()                    its last words, and whether it went off by itself

What goes into every guest afresh is in its initramfs: onset, `files`, by path, the kernel's
`modules`, in /lib/modules, and the files of `packages` that tools/vm has unpacked. The disk is
never written to: each guest has its own changes, which end with it, or a copy, `keep`, to look at
afterwards (guest.disk) or to boot from once more (`keep` is its path then). `repository` adds a
disk with packages for apt, /dev/vdb. QEMU's exit status says nothing (a panic is 0 too): the console does.
"""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ONSET_BUILD_DIR") or os.path.join(ROOT, "build")
ONSET = os.path.abspath(os.environ.get("ONSET") or os.path.join(BUILD, "onset"))
PARTS = os.path.join(BUILD, "vm")  # what tools/vm has made: kernel/, busybox, disk.img
HERE = os.path.dirname(os.path.abspath(__file__))
DEADLINE = 120.0  # seconds, for anything: a loaded machine emulates slowly
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1bc|\r")
# Of the kernel's modules, those without which there is no disk; in this order.
DISK_MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk")
MACHINE = ["qemu-system-x86_64", "-cpu", "qemu64", "-smp", "1", "-m", "512", "-nographic", "-no-reboot", "-nic", "none"]


class Late(AssertionError):
    """Something did not happen in time."""


def kernel():
    """(image, folder of modules)"""
    boot = os.path.join(PARTS, "kernel", "boot")
    image = next(name for name in os.listdir(boot) if name.startswith("vmlinuz-"))
    return os.path.join(boot, image), os.path.join(PARTS, "kernel", "lib", "modules", image.removeprefix("vmlinuz-"))


def find_module(folder, name):
    for base, _, files in os.walk(os.path.join(folder, "kernel")):
        if name + ".ko" in files:
            return os.path.join(base, name + ".ko")
    raise FileNotFoundError(name)


def static_program(source):
    """The bytes of a program of this folder."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program")
        subprocess.run(["gcc", "-static", "-O1", "-o", program, os.path.join(HERE, source)], check=True)
        with open(program, "rb") as file:
            return file.read()


class Guest:
    def __init__(self, disk=False, files=(), append="", options=(), terminal=False, keep=False, initrd=False,
                 modules=(), packages=(), repository=False):
        self.folder = tempfile.mkdtemp(prefix="onset-vm-")
        self.raw, self.console = b"", ""
        self.begin = time.monotonic()
        image, all_modules = kernel()
        files = dict(files)
        for name in modules:
            with open(find_module(all_modules, name), "rb") as file:
                files[f"/lib/modules/{name}.ko"] = file.read()
        line = [*MACHINE, "-kernel", image, "-initrd", self._initramfs(disk, initrd, files, packages, all_modules),
                "-append", f"console=ttyS0 panic=-1 no_timer_check {'' if disk else 'rdinit=/sbin/init'} {append}"]
        self.disk = f"{PARTS}/disk.img"
        if isinstance(keep, str):
            self.disk = keep
        elif disk and keep:
            self.disk = os.path.join(self.folder, "disk.img")
            subprocess.run(["cp", "--sparse=always", f"{PARTS}/disk.img", self.disk], check=True)
        if disk:
            line += ["-drive", f"file={self.disk},format=raw,if=virtio,snapshot={'off' if keep else 'on'}"]
        if repository:
            line += ["-drive", f"file={PARTS}/packages.img,format=raw,if=virtio,readonly=on"]
        agent = ["-serial", f"unix:{self.folder}/agent,server,nowait"]
        self.agent = None
        if terminal:
            self.process = subprocess.Popen([*line, "-serial", "mon:stdio", *agent, *options])
            return
        line += ["-monitor", f"unix:{self.folder}/monitor,server,nowait", "-serial", "stdio", *agent, *options]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # From the beginning: what is written to a port that nobody holds is lost.
        self.agent, self.heard, self.agent_is_ready = self._connect("agent", time.monotonic() + DEADLINE), b"", False

    def _initramfs(self, disk, initrd, files, packages, modules):
        root = os.path.join(self.folder, "root")
        subprocess.run([os.path.join(HERE, "make_initramfs"), "initrd" if initrd else "disk" if disk else "ram", PARTS, ONSET, root], check=True)
        place = os.path.join(root, "onto-disk") if disk else root
        for package in packages:
            # /lib and /bin are links where it goes.
            for folder in os.listdir(f"{PARTS}/{package}"):
                to = f"{place}/usr" if folder in ("lib", "bin", "sbin") else place
                os.makedirs(to, exist_ok=True)
                subprocess.run(["cp", "-a", f"{PARTS}/{package}/{folder}", to], check=True)
        files["/etc/systemd/system/vm-agent.service"] = AGENT_UNIT
        files["/etc/systemd/system/vm-agent"] = AGENT
        for path, text in files.items():
            path = place + path
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:  # a program's bytes as they are
                file.write(text if isinstance(text, bytes) else text.encode())
            if isinstance(text, bytes) or text.startswith("#!"):
                os.chmod(path, 0o755)
        if disk:
            self._add_modules(root, initrd, modules)
        archive = os.path.join(self.folder, "initrd.gz")
        subprocess.run(f"find . | cpio -o -H newc --quiet -R 0:0 | gzip -1 > {archive}", shell=True, cwd=root, check=True)
        shutil.rmtree(root)
        return archive

    def _add_modules(self, root, initrd, modules):
        place = f"{root}/lib/modules/{os.path.basename(modules)}" if initrd else f"{root}/modules"
        os.makedirs(place, exist_ok=True)
        for number, name in enumerate(DISK_MODULES):
            shutil.copy(find_module(modules, name), f"{place}/{name}.ko" if initrd else f"{place}/{number}.ko")
        if not initrd:
            return
        with open(f"{place}/modules.dep", "w", encoding="utf-8") as file:
            for number, name in enumerate(DISK_MODULES):
                needs = " ".join(f"{needed}.ko" for needed in reversed(DISK_MODULES[:number]))
                file.write(f"{name}.ko: {needs}\n")
        with open(f"{root}/etc/modules-load.d/disk.conf", "w", encoding="utf-8") as file:
            file.write(DISK_MODULES[-1] + "\n")

    # ---- its console --------------------------------------------------------------

    def _read(self, seconds):
        """Some more of the console; False at its end."""
        descriptor = self.process.stdout.fileno()
        if not select.select([descriptor], [], [], seconds)[0]:
            return True
        piece = os.read(descriptor, 65536)
        self.raw += piece
        self.console = ESCAPES.sub(b"", self.raw).decode(errors="replace")
        return bool(piece)

    def until(self, pattern, seconds=DEADLINE, begin=0):
        """The match of a regular expression on the console."""
        end = time.monotonic() + seconds
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.console, begin)
            if found:
                return found
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise Late(f"no {pattern!r} on the console:\n{self.console}")

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    # ---- commands -----------------------------------------------------------------

    def _connect(self, name, end):
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(os.path.join(self.folder, name))
                return connection
            except OSError:
                connection.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Late(f"QEMU has no {name}:\n{self.console}") from None
                self._read(0.05)

    def run(self, command, seconds=DEADLINE):
        """Exit status and output of a shell's command line, once the agent runs."""
        end = time.monotonic() + seconds
        if not self.agent_is_ready:
            self._hear(rb"agent ready\n", end)
            self.agent_is_ready = True
        self._send(command)
        text = self._hear(rb"\x01(\d+)\x02\n", end)
        return int(text.group(1)), text.string[:text.start()].decode(errors="replace")

    def _send(self, command):
        self.agent.sendall("".join(f"{byte:03o}" for byte in command.encode()).encode() + b"\n")

    def _hear(self, pattern, end):
        while True:
            found = re.search(pattern, self.heard)
            if found:
                self.heard = self.heard[found.end():]
                return found
            left = end - time.monotonic()
            if left <= 0:
                raise Late(f"no answer of the agent: {self.heard}\n{self.console}")
            ready = select.select([self.agent, self.process.stdout], [], [], left)[0]
            if self.agent in ready:
                piece = self.agent.recv(65536)
                if not piece:
                    raise Late(f"the guest has ended: {self.heard}\n{self.console}")
                self.heard += piece.replace(b"\r\n", b"\n")
            if self.process.stdout in ready and not self._read(0):
                raise Late(f"the guest has ended: {self.heard}\n{self.console}")

    def tell(self, command):
        """A command line whose answer does not matter: it may be the guest's last."""
        self.run("true")
        self._send(command)

    def ok(self, command, seconds=DEADLINE):
        """Its output; it must succeed."""
        status, output = self.run(command, seconds)
        if status != 0:
            raise AssertionError(f"{command}: {status}\n{output}\n{self.console}")
        return output

    def monitor(self, *commands):
        """Commands to QEMU itself: "sendkey ctrl-alt-delete". Until it prompts again: what is
        asked by who has gone is not done."""
        end = time.monotonic() + DEADLINE
        with self._connect("monitor", end) as connection:
            connection.settimeout(DEADLINE)
            for words in ("", *(command + "\n" for command in commands)):
                connection.sendall(words.encode())
                heard = b""
                while not heard.endswith(b"(qemu) "):
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    heard += piece

    # ---- its end ------------------------------------------------------------------

    def wait(self, seconds=DEADLINE):
        """Until QEMU has ended by itself; the whole console."""
        end = time.monotonic() + seconds
        while self._read(max(0.0, end - time.monotonic())):
            if time.monotonic() > end:
                raise Late(f"the guest has not ended:\n{self.console}")
        self.process.wait(10)
        return self.console

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.agent):
            if stream:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)


AGENT_UNIT = """[Unit]
Description=Runs what the rig asks for
DefaultDependencies=no
After=basic.target
Conflicts=shutdown.target
Before=shutdown.target
[Service]
ExecStart=/bin/sh /etc/systemd/system/vm-agent
StandardInput=null
StandardOutput=null
KillMode=process
[Install]
WantedBy=default.target
"""

AGENT = r"""# A line has the octal digits of a command line; what that writes goes back, then \001STATUS\002.
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty raw -echo 2>/dev/null
echo agent ready
while read -r line; do
  command=$(printf '%b' "$(echo "$line" | sed 's/.../\\0&/g')")
  (eval "$command") </dev/null
  printf '\001%s\002\n' "$?"
done
"""


def look(kind, append):
    """A guest on this terminal, until it goes off. Root has no password there."""
    files = {"/etc/shadow": "root::19000:0:99999:7:::\n"} if kind == "disk" else {}
    guest = Guest(disk=kind == "disk", append=append, terminal=True, files=files)
    try:
        return guest.process.wait()
    finally:
        guest.end()


def run(kind, command):
    guest = Guest(disk=kind == "disk", append="quiet")
    try:
        status, output = guest.run(command)
        sys.stdout.write(output)
        return status
    finally:
        guest.end()


if __name__ == "__main__":
    verb = {"boot": look, "run": run}[sys.argv[1]]
    sys.exit(verb(sys.argv[2], sys.argv[3]))
