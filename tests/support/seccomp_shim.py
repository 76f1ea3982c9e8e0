"""seccomp_shim.py CALL[,CALL…] ERRNO PROGRAM [ARG…]: runs a program, as itself,
under a filter that answers these system calls with this errno, as the profiles of
container runtimes do. x86-64 numbers. Of "cgroup-write" the filter can't tell by itself:
each write(2) is put to whoever takes over the listener (cgroup_refusals.py), which is left
open in the program for that."""

import ctypes
import errno
import os
import struct
import sys

NUMBERS = {"clone3": 435, "pidfd_open": 434, "openat2": 437, "faccessat2": 439,
           "close_range": 436, "pidfd_send_signal": 424, "statx": 332, "execveat": 322, "mount_setattr": 442}
CGROUP_WRITE, WRITE = "cgroup-write", 1
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL, ASK = 0x7FFF0000, 0x00050000, 0x7FC00000
NO_NEW_PRIVS, SECCOMP, FILTER, NEW_LISTENER = 38, 317, 1, 8


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def main(calls, error, *argv):
    lines = [(LOAD, 0, 0, 0)]
    asks = CGROUP_WRITE in calls.split(",")
    for call in calls.split(","):
        if call == CGROUP_WRITE:
            lines += [(JUMP_IF_EQUAL, 0, 1, WRITE), (RETURN, 0, 0, ASK)]
            continue
        lines += [(JUMP_IF_EQUAL, 0, 1, NUMBERS[call]),
                  (RETURN, 0, 0, FAIL | getattr(errno, error))]
    lines.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    text = ctypes.create_string_buffer(code)
    program = Program(len(lines), ctypes.cast(text, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    def install():
        return libc.syscall(SECCOMP, FILTER, NEW_LISTENER if asks else 0, ctypes.byref(program))

    listener = install()
    if listener < 0 and ctypes.get_errno() == errno.EACCES:  # without CAP_SYS_ADMIN
        libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
        listener = install()
    if listener < 0:
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
    if asks:
        os.set_inheritable(listener, True)
    os.execvp(argv[0], argv)


main(*sys.argv[1:])
