"""notify.py [--stay] TEXT…: one datagram with these lines to $NOTIFY_SOCKET, as
systemd-notify(1) sends it; then, once it has been heard, the end, or with --stay a
wait for a signal. @PID@ is this process's own pid. \\n and \\0 are what C means by them."""

import os
import select
import signal
import socket
import sys


def send(text):
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\0" + address[1:] if address[0] == "@" else address)
        s.send(text.encode())


def wait_until_heard():
    """sd_notify_barrier(3): the manager closes the pipe when it comes to it."""
    reading, writing = os.pipe()
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\0" + address[1:] if address[0] == "@" else address)
        socket.send_fds(s, [b"BARRIER=1"], [writing])
    os.close(writing)
    select.select([reading], [], [], 30)


if __name__ == "__main__":
    stay = "--stay" in sys.argv
    lines = [a for a in sys.argv[1:] if a != "--stay"]
    text = "\n".join(lines).replace("@PID@", str(os.getpid()))
    send(text.replace("\\n", "\n").replace("\\0", "\0"))
    if not stay:
        wait_until_heard()
    while stay:
        signal.pause()
