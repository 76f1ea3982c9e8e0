"""Socket units under onset as PID 1: what comes in starts the service, and it has the socket."""

import os
import unittest

from harness import until
from manager_harness import OnsetSystemTest

TARGET = "[Unit]\nWants={}\n"
# Says what it was handed and answers one client.
ECHO = "@python@ @support@/socket_service.py @work@/said {}"
CLIENT = """
import socket, sys
kind, address, text = sys.argv[1:]
if kind in ("stream", "datagram"):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM)
    s.connect(address.replace("@", "\\0"))
else:
    s = socket.create_connection(("127.0.0.1", int(address)))
s.sendall(text.encode() + b"\\n")
if kind != "datagram":
    s.shutdown(socket.SHUT_WR)
    sys.stdout.write(s.makefile().read())
"""


def socket_unit(*lines, unit="DefaultDependencies=no"):
    return f"[Unit]\n{unit}\n[Socket]\n" + "\n".join(lines) + "\n"


def service(mode, *lines):
    return "[Service]\nExecStart=" + ECHO.format(mode) + "\n" + "\n".join(lines) + "\n"


class Sockets(OnsetSystemTest):
    def boot_pair(self, *lines, mode="accept", more=(), **kind):
        units = {"main.target": TARGET.format("a.socket"), "a.socket": socket_unit(*lines),
                 "a.service": service(mode, *more)}
        return self.boot(units, **kind)

    def talk(self, system, kind, address, text):
        code, out, err = system.inside(["python3", "-S", "-E", "-c", CLIENT, kind, system.fill(address), text])
        self.assertEqual(code, 0, err + system.log())
        return out

    def test_a_stream_starts_the_service_which_has_the_socket(self):
        system = self.boot_pair("ListenStream=@work@/a.sock", "SocketMode=0600", "Symlinks=@work@/link.sock",
                                "FileDescriptorName=front")
        self.assertEqual(system.show("a.socket", "SubState"), "listening")
        self.assertEqual(system.show("a.service", "ActiveState"), "inactive")
        self.assertEqual(os.stat(system.path("a.sock")).st_mode & 0o777, 0o600)
        self.assertEqual(os.readlink(system.path("link.sock")), system.path("a.sock"))
        self.assertEqual(self.talk(system, "stream", "@work@/a.sock", "one"), "one\n")
        self.assertEqual(system.said(), ["pid good, 1 sockets: front", "one"])
        system.until_state("a.service", "inactive")
        system.until_state("a.socket", "active/listening")
        # Another activation, from the same socket.
        self.ok(system, "daemon-reload")
        self.assertEqual(self.talk(system, "stream", "@work@/link.sock", "two"), "two\n")

    def test_two_sockets_come_in_the_order_of_the_file(self):
        system = self.boot_pair("ListenStream=@work@/b.sock", "ListenStream=127.0.0.1:7000",
                                "ListenStream=@onset-test", mode="list")
        self.ok(system, "start", "a.service")
        system.until_said("end")
        self.assertEqual(system.said()[:4], ["pid good, 3 sockets: a.socket:a.socket:a.socket",
                                             system.path("b.sock"), "127.0.0.1:7000", "@onset-test"])

    def test_tcp_on_loopback(self):
        system = self.boot_pair("ListenStream=7000", "NoDelay=yes", "KeepAlive=yes",
                                setup=["ip link set lo up"])
        self.assertEqual(self.talk(system, "tcp", "7000", "hello"), "hello\n")

    def test_a_datagram_is_there_when_the_service_has_come_up(self):
        system = self.boot_pair("ListenDatagram=@work@/d.sock", mode="datagram")
        self.talk(system, "datagram", "@work@/d.sock", "line")
        system.until_said("line")

    def test_a_fifo_starts_its_service(self):
        system = self.boot_pair("ListenFIFO=@work@/fifo", mode="fifo")
        self.assertEqual(system.inside(["sh", "-c", f"echo word >{system.path('fifo')}"])[0], 0)
        system.until_said("word")

    def test_each_connection_has_an_instance_with_the_connection_as_its_streams(self):
        system = self.boot({
            "main.target": TARGET.format("a.socket"),
            "a.socket": socket_unit("ListenStream=127.0.0.1:7000", "Accept=yes"),
            "a@.service": "[Service]\nStandardInput=socket\nStandardError=journal\n"
                          "ExecStart=/bin/sh -c 'read x; echo got $x from $$REMOTE_ADDR fds $$LISTEN_FDS'\n"},
            setup=["ip link set lo up"])
        for word in ("a", "b"):
            self.assertEqual(self.talk(system, "tcp", "7000", word), f"got {word} from 127.0.0.1 fds\n")
        self.assertEqual(system.show("a.socket", "NAccepted"), "2")
        until(lambda: system.show("a.socket", "NConnections") == "0", "both have ended")
        self.assertEqual(system.show("a.socket", "SubState"), "listening")

    def test_a_service_that_dies_without_accepting_ends_in_a_limit(self):
        system = self.boot({
            "main.target": TARGET.format("a.socket"),
            "a.socket": socket_unit("ListenStream=@work@/a.sock"),
            "a.service": "[Service]\nExecStart=/bin/false\n"})
        system.inside(["python3", "-S", "-E", "-c", CLIENT, "stream", system.path("a.sock"), "x"])
        system.until_state("a.socket", "failed")
        self.assertEqual(system.show("a.socket", "Result"), "service-start-limit-hit")
        self.assertEqual(system.log().count("a.service: failed with result"), 5)

    def test_a_port_that_is_taken_is_named(self):
        system = self.boot({
            "main.target": TARGET.format("a.socket b.socket"),
            "a.socket": socket_unit("ListenStream=127.0.0.1:7000", "Service=x.service"),
            "b.socket": socket_unit("ListenStream=127.0.0.1:7000", "Service=x.service",
                                    unit="DefaultDependencies=no\nAfter=a.socket"),
            "x.service": service("accept")}, setup=["ip link set lo up"])
        self.assertEqual(system.show("b.socket", "Result"), "resources")
        self.assertIn("cannot listen on 127.0.0.1:7000 (Stream): bind: Address already in use", system.log())
        self.assertEqual(system.show("a.socket", "ActiveState"), "active")

    def test_what_list_sockets_and_show_print(self):
        system = self.boot_pair("ListenStream=@work@/a.sock", "ListenDatagram=127.0.0.1:7000",
                                setup=["ip link set lo up"])
        path = system.path("a.sock")
        self.assertEqual(system.show("a.socket", "Listen"), f"{path} (Stream)\n127.0.0.1:7000 (Datagram)")
        self.assertEqual(system.show("a.socket", "Triggers"), "a.service")
        code, out, err = system.cli("list-sockets", "--no-pager")
        self.assertEqual((code, err), (0, ""))
        rows = [line.split() for line in out.splitlines()]
        self.assertEqual(rows[:3], [["LISTEN", "UNIT", "ACTIVATES"], [path, "a.socket", "a.service"],
                                    ["127.0.0.1:7000", "a.socket", "a.service"]])
        self.assertIn("2 sockets listed.", out)
        status = system.cli("status", "a.socket")[1]
        self.assertIn("○ a.service", [line.strip().removeprefix("Triggers: ") for line in status.splitlines()])
        self.assertIn(f"     Listen: {path} (Stream)\n             127.0.0.1:7000 (Datagram)\n", status)


if __name__ == "__main__":
    unittest.main()
