"""A service that is started by its sockets: tells what it was handed and serves once.

    socket_service.py SAID accept|datagram|fifo|list
"""

import os
import socket
import sys

said, mode = sys.argv[1:]


def say(line):
    with open(said, "a") as file:
        file.write(line + "\n")


def name_of(fd):
    s = socket.socket(fileno=os.dup(fd))
    name = s.getsockname()
    if isinstance(name, tuple):
        return f"{name[0]}:{name[1]}"
    return "@" + name[1:].decode() if isinstance(name, bytes) else name


count = int(os.environ["LISTEN_FDS"])
mine = "good" if os.environ["LISTEN_PID"] == str(os.getpid()) else "wrong"
say(f"pid {mine}, {count} sockets: {os.environ['LISTEN_FDNAMES']}")
if mode == "accept":
    connection = socket.socket(fileno=3).accept()[0]
    text = connection.makefile().read()
    say(text.strip())
    connection.sendall(text.encode())
elif mode == "datagram":
    say(socket.socket(fileno=3).recv(4096).decode().strip())
elif mode == "fifo":
    say(os.read(3, 4096).decode().strip())
else:
    for fd in range(3, 3 + count):
        say(name_of(fd))
    say("end")
