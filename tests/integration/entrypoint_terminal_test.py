"""`onset -- COMMAND` on a terminal: the foreground group, and job control."""

import os
import signal
import subprocess

from entrypoint_test import PROBE, WAYS, sh
from harness import ONSET, OnsetTest, children_of, python

# A shell as far as job control goes; the first argument is what it does.
SHELL = """
import os, signal, sys, termios
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
if os.isatty(0):
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    mode = termios.tcgetattr(0)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, mode)
def launch(foreground):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        if foreground: os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(sys.argv[2], sys.argv[2:])
    return pid
def wait(pid):
    status = os.waitpid(pid, os.WUNTRACED)[1]
    if os.isatty(0): os.tcsetpgrp(0, os.getpid())
    stopped = os.WIFSTOPPED(status)
    print("stopped" if stopped else f"ended {os.waitstatus_to_exitcode(status)}", flush=True)
def resume(pid):
    if os.isatty(0): os.tcsetpgrp(0, pid)
    os.kill(-pid, signal.SIGCONT)
exec(sys.argv[1])
"""
READER = """
import os, sys
print("foreground", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
print("read", input(), flush=True)
sys.exit(7)
"""


class TerminalTest(OnsetTest):
    def shell(self, does, *line, **start):
        return self.start(python(SHELL, does, *line), **start)

    def expect(self, stream, *lines):
        for line in lines:
            self.assertEqual(stream.line(), line)


class Foreground(TerminalTest):
    def test_the_command_has_a_group_of_its_own_and_the_terminal(self):
        show = "import os; print(os.getpid() == os.getpgrp() == os.tcgetpgrp(0))"
        for way in WAYS:
            with self.subTest(**way):
                process = self.start([ONSET, "--", *python(show)], terminal=True, **way)
                self.expect(process.terminal, "True")
                self.assertEqual(process.wait(), 0)

    def test_it_has_a_group_without_a_terminal_too(self):
        show = "import os; print(os.getpid() == os.getpgrp())"
        for way in WAYS:
            with self.subTest(**way):
                self.assertEqual(self.run_to_end([ONSET, "--", *python(show)], **way),
                                 (0, "True\n", ""))

    def test_a_terminal_on_stderr_alone_is_found(self):
        show = "import os; os.write(2, b'%r\\n' % (os.getpgrp() == os.tcgetpgrp(2)))"
        line = sh('exec "$@" </dev/null >/dev/null', ONSET, "--", *python(show))
        process = self.start(line, terminal=True)
        self.expect(process.terminal, "True")
        self.assertEqual(process.wait(), 0)

    def test_keys_reach_the_command(self):
        line = sh('stty -echo; exec "$@"', ONSET, "--", *python(PROBE))
        process = self.start(line, terminal=True)
        self.expect(process.terminal, "ready")
        for key, number in ((b"\x03", "2"), (b"\x1c", "3"), (b"\x1a", "20")):
            process.type(key)
            self.expect(process.terminal, number)
        process.signal(signal.SIGUSR2)
        self.expect(process.terminal, "12")
        self.assertEqual(process.wait(), 5)

    def test_an_interrupted_command_gives_130(self):
        for way in WAYS:
            with self.subTest(**way):
                line = sh('stty -echo; exec "$@"', ONSET, "--", *sh("echo ready; read x"))
                process = self.start(line, terminal=True, **way)
                self.expect(process.terminal, "ready")
                process.type(b"\x03")
                self.assertEqual(process.wait(), 130)

    def test_the_terminal_is_given_back_at_the_end(self):
        for command, code in (("exit 7", 7), ("kill -9 $$", 137)):
            process = self.shell("job = launch(True); wait(job)", *self.script(command),
                                 terminal=True)
            self.expect(process.terminal, str(code))
            process.type(b"word\n")
            self.expect(process.terminal, "read word", "ended 0")

    def script(self, command):
        """A script without job control that runs onset and then reads a line."""
        return ["/bin/sh", "-c", '"$@"; echo $?; read x; echo "read $x"', "sh", ONSET, "--",
                *sh(command)]


class JobControl(TerminalTest):
    def test_a_stop_by_the_terminal_stops_onset_and_the_shell_can_continue_both(self):
        process = self.shell("job = launch(True); wait(job); resume(job); wait(job)",
                             ONSET, "--", *python(READER), terminal=True)
        self.expect(process.terminal, "foreground True")
        process.type(b"\x1a")
        self.expect(process.terminal, "stopped")
        process.type(b"word\n")
        self.expect(process.terminal, "read word", "ended 7")

    def test_a_stop_by_the_terminal_stops_the_script_around_onset_too(self):
        script = ["/bin/sh", "-c", '"$@"; exit 8', "sh", ONSET, "--", *python(READER)]
        process = self.shell("job = launch(True); wait(job); resume(job); wait(job)",
                             *script, terminal=True)
        self.expect(process.terminal, "foreground True")
        process.type(b"\x1a")
        self.expect(process.terminal, "stopped")
        process.type(b"word\n")
        self.expect(process.terminal, "read word", "ended 8")

    def test_a_job_in_the_background_leaves_the_terminal_alone_until_it_is_resumed(self):
        process = self.shell("job = launch(False); wait(job); resume(job); wait(job)",
                             ONSET, "--", *python(READER), terminal=True)
        self.expect(process.terminal, "foreground False", "stopped")
        process.type(b"word\n")
        self.expect(process.terminal, "read word", "ended 7")

    def test_a_terminal_given_without_SIGCONT_is_passed_on(self):
        late = ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {10});"
                "print('ready', flush=True); signal.sigwait({10})" + READER)
        process = self.shell("job = launch(False); input(); os.tcsetpgrp(0, job);"
                             "os.kill(job, signal.SIGUSR1); wait(job)",
                             ONSET, "--", *python(late), terminal=True)
        self.expect(process.terminal, "ready")
        process.type(b"go\n")
        self.expect(process.terminal, "foreground False")
        process.type(b"word\n")
        self.expect(process.terminal, "read word", "ended 7")

    def test_a_job_control_signal_stops_onset_after_the_command(self):
        for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            # Resumed only later: a SIGCONT drops a stop signal that is still pending.
            process = self.shell("job = launch(False); wait(job); input(); resume(job); wait(job)",
                                 ONSET, "--", *python(PROBE), stdin=subprocess.PIPE)
            self.expect(process.out, "ready")
            onset, = children_of(process.pid())
            os.kill(onset, number)
            lines = {process.out.line() for _ in range(2)}
            self.assertEqual(lines, {str(int(number)), "stopped"})
            process.type(b"go\n")
            self.expect(process.out, "18")
            for later in ("34", "12"):
                os.kill(onset, int(later))
                self.expect(process.out, later)
            self.expect(process.out, "ended 5")

    def test_where_nobody_could_continue_it_onset_does_not_stop(self):
        # A session without a shell above: the kernel calls such a group orphaned.
        process = self.start([ONSET, "--", *python(PROBE)], pid1=False, start_new_session=True)
        self.expect(process.out, "ready")
        for number in ("20", "34", "21", "35", "22", "36"):
            process.signal(int(number))
            self.expect(process.out, number)

    def test_an_ignored_job_control_signal_does_not_stop_onset(self):
        process = self.shell("wait(launch(False))", ONSET, "-r", "TSTP:0", "--", *python(PROBE))
        self.expect(process.out, "ready")
        onset, = children_of(process.pid())
        os.kill(onset, signal.SIGTSTP)
        for number in ("34", "12"):
            os.kill(onset, int(number))
            self.expect(process.out, number)
        self.expect(process.out, "ended 5")
