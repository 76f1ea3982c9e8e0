"""trap.py FILE NAME: a service that adds NAME-up to FILE, and with SIGTERM NAME-term, then ends."""

import os
import signal
import sys


def add(word):
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, f"{sys.argv[2]}-{word}\n".encode())
    os.close(fd)


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
add("up")
signal.sigwait({signal.SIGTERM})
add("term")
