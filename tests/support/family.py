"""family.py FILE: a service of two processes, parent and child. Each adds lines to
FILE: "pid N" (parent first), then "parent TERM" or "child TERM", then ends. Says
READY=1 when both are prepared."""

import os
import signal
import sys

import notify


def add(text):
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, (text + "\n").encode())
    os.close(fd)


def wait(name):
    signal.signal(signal.SIGTERM, lambda *_: (add(name + " TERM"), os._exit(0)))
    add(f"pid {os.getpid()}")


wait("parent")
reading, writing = os.pipe()
if os.fork() == 0:
    wait("child")
    os.write(writing, b"x")
    while True:
        signal.pause()
os.read(reading, 1)
notify.send("READY=1")
while True:
    signal.pause()
