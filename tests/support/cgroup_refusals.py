"""Answers for seccomp_shim.py's "cgroup-write": writes to files of a cgroup hierarchy fail, all
others are made. A thread of the test; the filter's listener is taken out of the process that the
shim has become."""

import ctypes
import errno
import fcntl
import os
import select
import struct
import threading
import time

PIDFD_GETFD = 438
RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1  # linux/seccomp.h
NOTICE, ANSWER = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")  # id, pid, flags, the call; id, value, error, flags
LISTENER = "anon_inode:seccomp notify"


def take_listener(pid):
    """A copy of the listener of the process; None: it has none (yet)."""
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{number}") == LISTENER:
                pidfd = os.pidfd_open(pid)
                try:
                    copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, pidfd, int(number), 0)
                finally:
                    os.close(pidfd)
                return copy if copy >= 0 else None
    except OSError:
        pass
    return None


def is_cgroup_file(pid, fd):
    try:
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
            mount = next(line.split()[1] for line in file if line.startswith("mnt_id:"))
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="replace") as file:
            return any(line.split()[0] == mount and " - cgroup2 " in line for line in file)
    except (OSError, StopIteration):
        return False


class CgroupRefusals(threading.Thread):
    """`find_pid` gives the process with the listener, or raises OSError or IndexError while it is
    not there."""

    def __init__(self, find_pid, error):
        super().__init__(daemon=True)
        self.find_pid = find_pid
        self.error = getattr(errno, error)
        self.listener = None
        self.refused = 0

    def find(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                self.listener = take_listener(self.find_pid())
            except (OSError, IndexError):
                pass
            if self.listener is not None:
                return True
            select.select([], [], [], 0.002)
        return False

    def run(self):
        """Until the last process under the filter has ended."""
        if not self.find():
            return
        try:
            asked = select.poll()
            asked.register(self.listener, select.POLLIN)
            while all(not events & select.POLLHUP for _, events in asked.poll()):
                notice = bytearray(NOTICE.size)
                try:
                    fcntl.ioctl(self.listener, RECEIVE, notice)
                except OSError:
                    continue  # who asked has ended meanwhile
                self.answer(notice)
        finally:
            os.close(self.listener)

    def answer(self, notice):
        identity, pid, *_ = NOTICE.unpack(notice)
        fd = struct.unpack_from("=Q", notice, 32)[0] & 0x7FFFFFFF
        refused = is_cgroup_file(pid, fd)
        self.refused += refused
        answer = ANSWER.pack(identity, 0, -self.error if refused else 0, 0 if refused else CONTINUE)
        try:
            fcntl.ioctl(self.listener, SEND, answer)
        except OSError:
            pass  # it has ended meanwhile
