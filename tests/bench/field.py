"""The inits that are measured: how each wants its services, and how it is called."""

import os
import shutil

PEER_PACKAGES = {
    "tini": "tini", "tini-static": "tini", "dumb-init": "dumb-init", "catatonit": "catatonit",
    "s6": "s6", "runit": "runit", "supervisord": "supervisor", "busybox": "busybox-static",
    "systemd --test": "systemd",
}
# Its configuration is empty: the root's own /etc/systemd would count for onset alone.
ONSET_INIT = ["/bench/onset", "init", "--unit=bench.target", "--unit-path=/bench/units",
              "--config-path=/bench/config"]


class Manager:
    """An init that is measured: how it is prepared and called."""

    def __init__(self, name, command, prepare=None, cgroup=False):
        self.name, self.command, self.prepare, self.cgroup = name, command, prepare, cgroup


class Field:
    """Below `root`, which the inits see as /."""

    def __init__(self, root, has_cgroup, only):
        self.root, self.has_cgroup = root, has_cgroup
        self.only = [name for name in only.split(",") if name]
        os.makedirs(self.path("bench/config"), exist_ok=True)

    def path(self, *names):
        return os.path.join(self.root, *names)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
        os.chmod(path, mode)

    def clean(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))

    # ---- services, as each manager wants them ----

    def plain_commands(self, command, count):
        return [(f"s{i:05}", command) for i in range(count)]

    def prepare_onset(self, command, count, unit="", service="", after_previous=False):
        """`unit` and `service` are further lines of every service's sections."""
        self.clean("bench/units")
        words = " ".join(command)
        names = [name + ".service" for name, _ in self.plain_commands(command, count)]
        for previous, name in zip(["", *names], names):
            order = f"After={previous}\n" if after_previous else ""
            self.write(f"bench/units/{name}",
                       f"[Unit]\nDescription=Service {name.removesuffix('.service')}\n{unit}{order}\n"
                       f"[Service]\nExecStart={words}\n{service}")
        self.write_target(names, unit)

    def write_target(self, names, unit=""):
        self.write("bench/units/bench.target",
                   f"[Unit]\nDescription=All services\n{unit}"
                   + "".join(f"Wants={' '.join(names[i:i + 50])}\n" for i in range(0, len(names), 50)))

    def prepare_gated(self, count):
        """So many units that wait for one service, which leaves its time stamp."""
        self.prepare_onset(["/bench/nothing"], count, unit="After=gate.service\n")
        self.write("bench/units/gate.service",
                   "[Unit]\nDescription=The first one\n\n[Service]\nType=oneshot\nExecStart=/bench/probe\n")
        self.write_target(["gate.service", *(f"{name}.service" for name, _ in self.plain_commands([], count))])

    def prepare_s6(self, command, count):
        self.clean("bench/scan")
        for name, _ in self.plain_commands(command, count):
            self.run_script(f"bench/scan/{name}/run", command)
        # runsvdir leaves a folder alone for a second after it was changed.
        os.utime(self.path("bench/scan"), (0, 0))

    def run_script(self, name, command):
        path = self.path(name)
        os.makedirs(os.path.dirname(path))
        if len(command) == 1:
            os.symlink(command[0], path)  # no shell between the manager and the service
        else:
            self.write(name, "#!/bin/sh\nexec " + " ".join(command) + "\n", 0o755)

    def prepare_supervisord(self, command, count):
        self.clean("bench/supervisor")
        text = ("[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                "pidfile=/bench/supervisor/pid\nminfds=8192\n")
        for name, _ in self.plain_commands(command, count):
            text += (f"[program:{name}]\ncommand={' '.join(command)}\nredirect_stderr=true\n"
                     "stdout_logfile=NONE\n")
        self.write("bench/supervisor/conf", text)

    def prepare_busybox(self, command, count):
        # It takes two lines with the same command for one: each has an argument of its own.
        words = " ".join(command)
        self.write("etc/inittab", "".join(f"::respawn:{words} {i}\n" for i in range(count)))

    def prepare_busybox_chain(self, command, count):
        words = " ".join(command)
        self.write("etc/inittab", "".join(f"::wait:{words} {i}\n" for i in range(count)))

    # ---- the field ----

    def wanted(self, managers):
        return [m for m in managers if not self.only or m.name in self.only or m.name == "floor"]

    def entrypoints(self, child):
        return self.wanted([
            Manager("floor", ["/bench/floor_entrypoint", *child]),
            Manager("onset", ["/bench/onset", "--", *child]),
            Manager("tini-static", ["/usr/bin/tini-static", "--", *child]),
            Manager("tini", ["/usr/bin/tini", "--", *child]),
            Manager("catatonit", ["/usr/bin/catatonit", "--", *child]),
            Manager("dumb-init", ["/usr/bin/dumb-init", "--", *child]),
        ])

    def onset(self, prepare, bare=False):
        managers = [Manager("onset", ONSET_INIT, prepare)]
        if bare:
            managers.append(Manager("onset bare", ONSET_INIT, lambda: prepare(unit="DefaultDependencies=no\n")))
        if self.has_cgroup:
            managers.append(Manager("onset cgroup", ONSET_INIT, prepare, cgroup=True))
        return managers

    def systemd_test(self):
        """It loads and plans as PID 1 would, but not as PID 1 or root, and not without its folders."""
        def prepare():
            os.makedirs(self.path("run/systemd"), exist_ok=True)
            os.chmod(self.path("run/systemd"), 0o777)

        return Manager("systemd --test", [
            "/bin/sh", "-c", '"$@"; exit $?', "sh", "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "/usr/bin/env", "HOME=/", "SYSTEMD_UNIT_PATH=/bench/units:", "/lib/systemd/systemd", "--system", "--test",
            "--no-pager", "--log-target=console", "--unit=bench.target"], prepare, cgroup=True)

    def supervisors(self, command, count):
        return self.onset(lambda **more: self.prepare_onset(command, count, **more), bare=True) + [
            Manager("busybox", ["/bin/busybox", "init"], lambda: self.prepare_busybox(command, count)),
            Manager("runit", ["/usr/bin/runsvdir", "-P", "/bench/scan"], lambda: self.prepare_s6(command, count)),
            Manager("s6", ["/usr/bin/s6-svscan", "-c", "1500", "/bench/scan"], lambda: self.prepare_s6(command, count)),
            Manager("supervisord", ["/usr/bin/supervisord", "-n", "-c", "/bench/supervisor/conf"],
                    lambda: self.prepare_supervisord(command, count)),
        ]
