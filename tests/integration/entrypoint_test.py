"""`onset [OPTION…] -- COMMAND [ARG…]`: one command, as PID 1 and as a subreaper."""

import ctypes
import os
import platform
import signal
import struct
import subprocess
import tempfile
import unittest

from harness import DEADLINE, ENVIRONMENT, ONSET, SANITIZED, OnsetTest, children_of, python, until

# Says "ready", then every signal it takes; USR2 ends it with 5. Each line begins
# with the argument, if there is one.
PROBE = """
import signal, sys
prefix = sys.argv[1] if sys.argv[1:] else ""
every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, every)
print(prefix + "ready", flush=True)
while True:
    number = signal.sigwaitinfo(every).si_signo
    print(prefix + str(int(number)), flush=True)
    if number == signal.SIGUSR2: sys.exit(5)
"""
# The two real-time signals that libc keeps for itself are forwarded too.
FORWARDED = sorted(set(range(1, 65)) - {32, 33} - {
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGFPE, signal.SIGILL,
    signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS,
    signal.SIGUSR2})
# As PID 1 and below it, as root and as an ordinary user.
WAYS = [{"pid1": pid1, "ordinary": ordinary} for pid1 in (True, False)
        for ordinary in (False, True)]


def sh(script, *args):
    return ["sh", "-c", script, "sh", *args]


class EntrypointTest(OnsetTest):
    def probe(self, *options, **start):
        process = self.start([ONSET, *options, "--", *python(PROBE)], **start)
        self.assertEqual(process.out.line(), "ready")
        return process


class ExitCodes(EntrypointTest):
    def test_the_exit_code_is_the_commands(self):
        for way in WAYS:
            with self.subTest(**way):
                for script, code in (("exit 7", 7), ("exit 0", 0), ("exit 255", 255),
                                     ("kill -9 $$", 137), ("kill -15 $$", 143)):
                    self.assertEqual(self.run_to_end([ONSET, "--", *sh(script)], **way),
                                     (code, "", ""), script)

    def test_a_command_that_cannot_be_executed_gives_127_or_126_and_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)

            def file(name, text, mode):
                path = os.path.join(folder, name)
                with open(path, "w") as out:
                    out.write(text)
                os.chmod(path, mode)
                return path

            plain = file("plain", "", 0o644)
            orphan = file("orphan", "#!/nowhere/sh\n", 0o755)
            cases = (
                ("nowhere-to-be-found", 127, "No such file or directory"),
                ("/nowhere/command", 127, "No such file or directory"),
                ("", 127, "No such file or directory"),
                (orphan, 127, "No such file or directory (the file exists, its interpreter "
                              "does not)"),
                (plain, 126, "Permission denied"),
                (folder, 126, "Permission denied"),
                (plain + "/x", 126, "Not a directory"),
                ("n" * 300, 126, "File name too long"),
            )
            for way in WAYS:
                with self.subTest(**way):
                    for command, code, text in cases:
                        self.assertEqual(self.run_to_end([ONSET, "--", command], **way),
                                         (code, "", f"onset: {command}: {text}\n"))

    def test_a_script_without_an_interpreter_line_is_run_by_the_shell(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "script")
            with open(path, "w") as file:
                file.write('exit "$1"\n')
            os.chmod(folder, 0o755)
            os.chmod(path, 0o755)
            for way in WAYS:
                with self.subTest(**way):
                    self.assertEqual(self.run_to_end([ONSET, "--", path, "3"], **way)[0], 3)

    def test_control_characters_of_a_name_do_not_reach_the_terminal(self):
        _, _, err = self.run_to_end([ONSET, "--", "a\x1b[2Jb\nc"])
        self.assertEqual(err, "onset: a?[2Jb?c: No such file or directory\n")

    def test_a_line_about_a_huge_name_is_cut(self):
        code, _, err = self.run_to_end([ONSET, "--", "/" + "x" * 100000])
        self.assertEqual(code, 126)
        self.assertEqual((len(err), err[-1], err.count("\n")), (1024, "\n", 1))

    def test_codes_given_with_e_become_0(self):
        for options, script, code in (
                (["-e", "143"], "kill -15 $$", 0), (["-e143"], "exit 143", 0),
                (["-e", "7", "-e", "9"], "exit 7", 0), (["-e", "7", "-e", "9"], "exit 9", 0),
                (["-e", "7"], "exit 8", 8), (["-e", "0"], "exit 0", 0),
                (["-e", "127"], "exit 127", 0)):
            self.assertEqual(self.run_to_end([ONSET, *options, "--", *sh(script)])[0], code)

    def test_no_process_left_gives_126(self):
        limit = ("import os, resource, sys; resource.setrlimit(resource.RLIMIT_NPROC, (1, 1));"
                 "os.execv(sys.argv[1], sys.argv[1:])")
        code, _, err = self.run_to_end([*python(limit, ONSET, "--", "true")], ordinary=True)
        self.assertEqual(
            (code, err), (126, "onset: no process for true: Resource temporarily unavailable\n"))


class CommandLine(EntrypointTest):
    def test_a_wrong_command_line_gives_2_and_says_what_was_expected(self):
        cases = (
            (["--"], "--: a command is expected after it"),
            (["-z", "--", "true"], "-z: no such option"),
            (["-gz", "--", "true"], "-gz: no such option"),
            (["-e", "--", "true"], "-e: this option expects an argument"),
            (["-e", "256", "--", "true"], "256: -e expects an exit code, 0 to 255"),
            (["-e", "-1", "--", "true"], "-1: -e expects an exit code, 0 to 255"),
            (["-e", "x", "--", "true"], "x: -e expects an exit code, 0 to 255"),
            (["-p", "SIGNONE", "--", "true"], "SIGNONE: -p expects a signal"),
            (["-p0", "--", "true"], "0: -p expects a signal"),
            (["-r", "15", "--", "true"], "15: -r expects OLD:NEW, two signals"),
            (["-r", "65:1", "--", "true"], "65:1: -r expects OLD:NEW, and OLD is not a signal"),
            (["-r", "0:1", "--", "true"], "0:1: -r expects OLD:NEW, and OLD is not a signal"),
            (["-r", "15:RTMIN+31", "--", "true"],
             "15:RTMIN+31: -r expects OLD:NEW, and NEW is not a signal (0 ignores OLD)"),
            (["-r", "15:", "--", "true"],
             "15:: -r expects OLD:NEW, and NEW is not a signal (0 ignores OLD)"),
            (["-r", "SIGCHLD:1", "--", "true"],
             "SIGCHLD:1: -r: OLD is a signal that is never forwarded"),
            (["-r", "KILL:1", "--", "true"],
             "KILL:1: -r: OLD is a signal that is never forwarded"),
            (["--wait-descendants=yes", "--", "true"],
             "--wait-descendants=yes: this option expects no argument"),
        )
        for words, text in cases:
            code, out, err = self.run_to_end([ONSET, *words])
            self.assertEqual((code, out, err.split("\n")[0]), (2, "", "onset: " + text))
            self.assertTrue(err.split("\n")[1].startswith("usage: onset "), err)

    def test_an_option_that_does_not_exist_before_a_command_starts_no_unit(self):
        # Without units, should it become the manager all the same.
        env = {**ENVIRONMENT, "SYSTEMD_UNIT_PATH": "/nowhere"}
        for words in (["--wait"], ["--verbos"], ["-g", "--unit=a.target"], ["--kill-group=yes"]):
            code, out, err = self.run_to_end([ONSET, *words, "--", "true"], env=env)
            self.assertEqual((code, out, err.split("\n")[0]),
                             (2, "", f"onset: {words[-1]}: no such option"))

    def test_asked_what_it_is_it_answers_and_starts_no_unit(self):
        # Without units, should it become the manager all the same.
        line = ["timeout", "-s", "KILL", "9", "env", "SYSTEMD_UNIT_PATH=/nowhere", ONSET]
        for pid1 in (True, False):
            start = line[-3:] if pid1 else line
            for words in (["--version"], ["init", "--version"]):
                code, out, err = self.run_to_end([*start, *words], pid1=pid1)
                self.assertEqual((code, err), (0, ""), words)
                self.assertIn("onset", out)
            for words in (["--help"], ["-h"], ["init", "--help"]):
                code, out, err = self.run_to_end([*start, *words], pid1=pid1)
                self.assertEqual((code, err), (0, ""), words)
                self.assertIn("VERB", out)

    def test_without_the_separator_nothing_is_run(self):
        # Never as PID 1: there these words boot a machine.
        for words in (["true"], ["-g"], ["-g", "true"], ["-", "--", "true"]):
            self.assertNotEqual(self.run_to_end([ONSET, *words], pid1=False)[0], 0, words)

    def test_all_options_are_taken_together_and_the_commands_own_are_left_alone(self):
        line = [ONSET, "-g", "-r", "15:3", "-e", "143", "-p", "SIGKILL", "-w", "-s", "--"]
        script = 'echo "$@"; exit 7'
        for words in (line, [ONSET, "-gswe143", "-r15:3", "-pKILL", "--"]):
            self.assertEqual(self.run_to_end([*words, *sh(script, "-g", "--", "-e")]),
                             (7, "-g -- -e\n", ""))

    def test_verbose_tells_start_signals_and_end(self):
        process = self.probe("-v", "-r", "TERM:0", "-r", "HUP:USR1")
        for number in (signal.SIGTERM, signal.SIGHUP):
            process.signal(number)
        self.assertEqual(process.out.line(), str(int(signal.SIGUSR1)))
        process.signal(signal.SIGUSR2)
        self.assertEqual(process.wait(), 5)
        lines = process.err.rest().split("\n")
        self.assertRegex(lines[0], "^onset: started .*python.* as PID 2$")
        self.assertEqual(set(lines[1:3]),
                         {"onset: signal 15 ignored", "onset: signal 1 forwarded as 10"})
        self.assertEqual(lines[3:], ["onset: signal 12 forwarded as 12",
                                     "onset: the command, PID 2, ended with 5", ""])

    @unittest.skipIf(SANITIZED, "a sanitized binary is not static")
    def test_the_binary_is_static_pie(self):
        with open(ONSET, "rb") as file:
            image = file.read(4096)
        self.assertEqual(struct.unpack_from("<H", image, 16)[0], 3)  # ET_DYN
        offset, = struct.unpack_from("<Q", image, 32)
        size, count = struct.unpack_from("<HH", image, 54)
        kinds = [struct.unpack_from("<I", image, offset + i * size)[0] for i in range(count)]
        self.assertNotIn(3, kinds)  # PT_INTERP


class Search(EntrypointTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        for name, mode in (("first", 0o644), ("second", 0o755)):
            os.mkdir(os.path.join(self.folder.name, name))
            path = os.path.join(self.folder.name, name, "found")
            with open(path, "w") as file:
                file.write(f"#!/bin/sh\necho {name}\n")
            os.chmod(path, mode)

    def search(self, path, command="found", cwd=None):
        env = 'exec env ${1:+"PATH=$1"} "$2" -- "$3"' if path else 'unset PATH; exec "$2" -- "$3"'
        folder = self.folder.name
        return self.run_to_end(sh(env, path.replace("@", folder), ONSET, command),
                               cwd=cwd and os.path.join(folder, cwd))[:2]

    def test_the_first_folder_of_path_that_has_it_wins(self):
        self.assertEqual(self.search("/nowhere:@/second:/bin"), (0, "second\n"))

    def test_a_file_that_may_not_be_executed_is_passed_over(self):
        self.assertEqual(self.search("@/first:@/second"), (0, "second\n"))

    def test_a_file_that_may_not_be_executed_gives_126_if_no_other_is_found(self):
        self.assertEqual(self.search("@/first:/nowhere"), (126, ""))

    def test_an_empty_folder_is_the_current_one(self):
        for path in (":/nowhere", "/nowhere:", "/nowhere::/nowhere"):
            self.assertEqual(self.search(path, cwd="second"), (0, "second\n"))

    def test_a_folder_that_is_too_long_is_passed_over(self):
        self.assertEqual(self.search("/" + "x" * 5000 + ":@/second"), (0, "second\n"))

    def test_without_path_the_default_one_is_searched(self):
        self.assertEqual(self.search("", "true"), (0, ""))
        self.assertEqual(self.search("", "found"), (127, ""))


class Signals(EntrypointTest):
    def test_every_signal_is_forwarded(self):
        for way in WAYS:
            with self.subTest(**way):
                process = self.probe(**way)
                # Job control below PID 1 stops onset itself: its own test.
                for number in (n for n in FORWARDED if way["pid1"] or n not in (20, 21, 22)):
                    process.signal(number)
                    self.assertEqual(process.out.line(), str(number))
                process.signal(signal.SIGUSR2)
                self.assertEqual(process.wait(), 5)

    def test_the_signals_that_libc_hides_are_forwarded(self):
        for number in (32, 33):
            process = self.start([ONSET, "--", *sh("echo ready; read x"), ],
                                 stdin=subprocess.PIPE)
            self.assertEqual(process.out.line(), "ready")
            process.signal(number)
            self.assertEqual(process.wait(), 128 + number)
            process.close_input()

    def test_a_queued_value_is_forwarded(self):
        probe = """
import ctypes
libc, mask, info = ctypes.CDLL(None), (ctypes.c_ulong * 16)(1 << 39), (ctypes.c_int * 32)()
libc.sigprocmask(0, mask, None)
print("ready", flush=True)
print(libc.sigwaitinfo(mask, info), info[2], info[6])
"""
        process = self.start([ONSET, "--", *python(probe)])
        self.assertEqual(process.out.line(), "ready")
        ctypes.CDLL(None).sigqueue(process.pid(), 40, ctypes.c_void_p(4711))
        self.assertEqual(process.out.line(), "40 -1 4711")  # SI_QUEUE

    def test_r_rewrites_and_0_ignores(self):
        for rule, sent, seen in (("15:3", 15, 3), ("SIGTERM:SIGQUIT", 15, 3), ("HUP:TERM", 1, 15),
                                 ("RTMIN+1:RTMAX-1", 35, 63), ("SIGRTMAX:34", 64, 34),
                                 ("--rewrite=15:3", 15, 3), ("TSTP:USR1", 20, 10)):
            process = self.probe(*([rule] if rule[0] == "-" else ["-r", rule]))
            process.signal(sent)
            self.assertEqual(process.out.line(), str(seen), rule)
        process = self.probe("-r", "15:0", "-r", "1:3", "-r", "1:0")
        for number in (15, 1, 34):
            process.signal(number)
        self.assertEqual(process.out.line(), "34")

    def test_r_may_kill(self):
        process = self.probe("-r", "15:9")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 137)

    def test_without_g_the_command_alone_gets_it_and_with_g_its_group(self):
        for options, expected in (([], {"34"}), (["-g"], {"34", "other 34"})):
            pair = sh('"$@" "other " & exec "$@"', *python(PROBE))
            process = self.start([ONSET, *options, "--", *pair])
            self.assertEqual({process.out.line() for _ in range(2)}, {"ready", "other ready"})
            process.signal(34)
            self.assertEqual({process.out.line() for _ in expected}, expected)
            process.signal(12)  # ends the command, and with it the namespace: the other may say no more
            self.assertEqual(process.wait(), 5)

    def test_a_signal_that_came_before_the_command_reaches_it(self):
        early = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getpid(), signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""
        for pid1 in (True, False):
            process = self.start(python(early, ONSET, "--", *python(PROBE)), pid1=pid1)
            self.assertEqual(process.out.line(), "ready")
            self.assertEqual(process.out.line(), "15")

    def test_a_storm_of_signals_loses_no_TERM(self):
        storm = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
for i in range(200):
    if os.fork() == 0:
        if os.fork() == 0:
            for j in range(50): os.kill(1, signal.SIGUSR1)
        os._exit(0)
    os.kill(1, signal.SIGUSR1)
print("ready", flush=True)
print(int(signal.sigwait({signal.SIGTERM})), flush=True)
sys.exit(5)
"""
        process = self.start([ONSET, "--", *python(storm)])
        self.assertEqual(process.out.line(), "ready")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.out.line(), "15")
        self.assertEqual(process.wait(), 5)

    def test_mask_and_dispositions_are_as_they_were_inherited(self):
        prepare = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR1, signal.SIGHUP, 40})
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_DFL)
for name in sys.argv[1].split(): signal.signal(int(name), signal.SIG_IGN)
os.execv(sys.argv[2], sys.argv[2:])
"""
        show = ["/bin/grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"]
        for ignored in ("", "13", "17", "13 17 20 21 22 2 40"):
            for pid1 in (True, False):
                wanted = self.run_to_end(python(prepare, ignored, *show), pid1=False)
                self.assertEqual(
                    self.run_to_end(python(prepare, ignored, ONSET, "--", *show), pid1=pid1),
                    wanted)
            code = self.run_to_end(python(prepare, ignored, ONSET, "--", *sh("exit 7")))[0]
            self.assertEqual(code, 7, "with these ignored: " + ignored)


class Reaping(EntrypointTest):
    def assert_only_the_command_is_left(self, process):
        until(lambda: len(children_of(process.pid())) == 1, "the command is the only child")

    def test_orphans_are_reaped(self):
        script = """
for i in 1 2 3 4 5 6 7 8 9; do sh -c ': & exec 2>/dev/null; (:) & exit'; done
echo made; read go; exit 9
"""
        for way in WAYS:
            with self.subTest(**way):
                process = self.start([ONSET, "--", *sh(script)], stdin=subprocess.PIPE, **way)
                self.assertEqual(process.out.line(), "made")
                self.assert_only_the_command_is_left(process)
                process.close_input()
                self.assertEqual(process.wait(), 9)

    def test_20000_orphans_leave_no_zombie(self):
        # As cheap as they come: each child runs libc's _exit on a stack of its own.
        many = """
import ctypes
libc, stack = ctypes.CDLL(None), ctypes.create_string_buffer(65536)
top = ctypes.c_void_p(ctypes.addressof(stack) + 65520 & ~15)
for i in range(20000):  # CLONE_VM | CLONE_VFORK | SIGCHLD
    assert libc.clone(libc._exit, top, 0x4111, None) > 0
"""
        script = '"$@"; echo made; read go; exit 9'
        for pid1 in (True, False):
            process = self.start([ONSET, "--", *sh(script, *python(many))],
                                 stdin=subprocess.PIPE, pid1=pid1)
            self.assertEqual(process.out.line(DEADLINE * 4), "made")
            self.assert_only_the_command_is_left(process)
            process.close_input()
            self.assertEqual(process.wait(), 9)

    def test_one_SIGCHLD_for_many_children_is_enough(self):
        # onset is stopped while the command and its orphans end.
        script = """
exec 3<&0; for i in 1 2 3 4 5; do (read go <&3; exit 1) & done
echo made; read go; exit 9
"""
        for pid1 in (True, False):
            process = self.start([ONSET, "-w", "--", *sh(script)], stdin=subprocess.PIPE,
                                 pid1=pid1)
            self.assertEqual(process.out.line(), "made")
            command, = children_of(process.pid())
            family = [self.watch(pid) for pid in (command, *children_of(command))]
            self.assertEqual(len(family), 6)
            process.signal(signal.SIGSTOP)
            process.close_input()
            for member in family:
                member.wait()
            process.signal(signal.SIGCONT)
            self.assertEqual(process.wait(), 9)

    def test_without_w_it_leaves_with_the_command(self):
        # As PID 1 it takes the descendant with it, below PID 1 it leaves it behind.
        command = sh('"$@" & read go; exit 7', *python(PROBE))
        process = self.start([ONSET, "--", *command], stdin=subprocess.PIPE)
        self.assertEqual(process.out.line(), "ready")
        process.close_input()
        self.assertEqual(process.wait(), 7)
        self.assertEqual(process.out.rest(), "")

        process = self.start(sh('"$@"; echo $?; read go', ONSET, "--", *command),
                             stdin=subprocess.PIPE)
        self.assertEqual(process.out.line(), "ready")
        process.type(b"go\n")
        self.assertEqual(process.out.line(), "7")
        descendant, = children_of(process.pid())
        os.kill(descendant, signal.SIGUSR2)
        self.assertEqual(process.out.line(), "12")

    def test_w_waits_for_the_last_descendant_and_gives_the_commands_code(self):
        script = 'exec 3<&0; (read go <&3; echo bye; exit 3) & exit 7'
        for option in ("-w", "--wait-descendants"):
            for way in WAYS:
                with self.subTest(**way):
                    process = self.start([ONSET, "-v", option, "--", *sh(script)],
                                         stdin=subprocess.PIPE, **way)
                    while "ended with 7" not in process.err.line():
                        pass
                    self.assertIsNone(process.popen.poll())
                    process.close_input()
                    self.assertEqual(process.out.line(), "bye")
                    self.assertEqual(process.wait(), 7)

    def test_with_w_signals_go_on_to_what_is_left_of_the_group(self):
        script = '"$@" & exit 7'
        for pid1 in (True, False):
            process = self.start([ONSET, "-v", "-w", "--", *sh(script, *python(PROBE))],
                                 pid1=pid1)
            while "ended with 7" not in process.err.line():
                pass
            self.assertEqual(process.out.line(), "ready")
            process.signal(signal.SIGTERM)
            self.assertEqual(process.out.line(), "15")
            process.signal(signal.SIGUSR2)
            self.assertEqual(process.wait(), 7)


class Surroundings(EntrypointTest):
    def test_it_works_without_proc(self):
        for pid1 in (True, False):
            self.assertEqual(
                self.run_to_end([ONSET, "--", *sh("[ ! -e /proc/self ] && exit 7")],
                                proc=False, pid1=pid1), (7, "", ""))

    def test_it_works_with_standard_descriptors_closed(self):
        for close in ("<&- >&- 2>&-", "<&-", ">&-", "2>&-"):
            line = sh(f'exec "$@" {close}', ONSET, "-vv", "--")
            self.assertEqual(self.run_to_end([*line, *sh("exit 7")])[0], 7, close)
            self.assertEqual(self.run_to_end([*line, "/nowhere"])[0], 127, close)

    def test_the_command_gets_no_descriptor_of_ours(self):
        show = ["ls", "/proc/self/fd"]
        wanted = self.run_to_end(show)
        self.assertEqual(self.run_to_end([ONSET, "-v", "--", *show])[:2], wanted[:2])

    def test_a_closed_stderr_pipe_neither_kills_nor_is_forwarded(self):
        read, write = os.pipe()
        os.close(read)
        for words, code in (["--", "/nowhere"], 127), (["-e", "x", "--", "true"], 2):
            self.assertEqual(self.run_to_end([ONSET, *words], stderr=write)[0], code)
        process = self.probe("-v", stderr=write)
        os.close(write)
        for number in (34, 35, signal.SIGUSR2):
            process.signal(number)
            self.assertEqual(process.out.line(), str(int(number)))
        self.assertEqual(process.wait(), 5)

    def test_a_stderr_that_nobody_reads_blocks_nothing(self):
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(write, True)
        for words, code in (["--", "/nowhere"], 127), (["-e", "x", "--", "true"], 2):
            self.assertEqual(self.run_to_end([ONSET, *words], stderr=write)[0], code)
        process = self.probe("-vv", stderr=write)
        process.signal(signal.SIGUSR2)
        self.assertEqual(process.wait(), 5)
        os.close(read)
        os.close(write)

    def test_LISTEN_PID_that_names_onset_names_the_command(self):
        line = 'LISTEN_FDS=2 LISTEN_PID=${1:-$$}; export LISTEN_FDS LISTEN_PID; shift; exec "$@"'
        show = sh('echo $LISTEN_FDS $LISTEN_PID $$')
        for pid1 in (True, False):
            _, out, _ = self.run_to_end(sh(line, "", ONSET, "--", *show), pid1=pid1)
            count, named, own = out.split()
            self.assertEqual((count, named), ("2", own))
        for other in ("99999", "11", "1x", "-1", "0", "01", "4294967297"):
            _, out, _ = self.run_to_end(sh(line, other, ONSET, "--", *show))
            self.assertEqual(out.split()[:2], ["2", other])

    def test_p_ends_the_command_with_onsets_parent(self):
        for option, seen in (("-pSIGKILL", None), ("-pKILL", None), ("-pTERM", "15")):
            parent = sh('"$@" & wait', ONSET, option, "--", *python(PROBE))
            process = self.start(sh('"$@"; read go', *parent), stdin=subprocess.PIPE)
            self.assertEqual(process.out.line(), "ready")
            doomed, = children_of(process.pid())
            onset, = children_of(doomed)
            command, = children_of(onset)
            both = self.watch(onset), self.watch(command)
            os.kill(doomed, signal.SIGKILL)
            if seen:
                self.assertEqual(process.out.line(), seen)
                os.kill(command, signal.SIGUSR2)
            for watch in both:
                watch.wait()

    def test_p_ends_the_command_with_onset_itself(self):
        process = self.start(sh('"$@"; read go', ONSET, "-pKILL", "--", *python(PROBE)),
                             stdin=subprocess.PIPE)
        self.assertEqual(process.out.line(), "ready")
        onset, = children_of(process.pid())
        command = self.watch(children_of(onset)[0])
        os.kill(onset, signal.SIGKILL)
        command.wait()


# Refuses one system call with an errno, then runs a command.
SHIM = """
import ctypes, os, struct, sys
number, error = int(sys.argv[1]), int(sys.argv[2])
rules = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, number,
                    0x06, 0, 0, 0x50000 | error, 0x06, 0, 0, 0x7fff0000)
text = ctypes.create_string_buffer(rules)
program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(text))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[3], sys.argv[3:])
"""


@unittest.skipUnless(platform.machine() == "x86_64", "system call numbers of x86-64")
class RefusedCalls(EntrypointTest):
    def test_it_falls_back_where_a_filter_refuses_a_call(self):
        calls = {"clone": 56, "clone3": 435, "vfork": 58, "prctl": 157, "setpgid": 109,
                 "rt_sigtimedwait": 128, "ioctl": 16, "poll": 7}
        for name, number in calls.items():
            for error in (1, 38):  # EPERM, ENOSYS
                for pid1 in (True, False):
                    with self.subTest(call=name, error=error, pid1=pid1):
                        line = python(SHIM, str(number), str(error), ONSET, "--", *sh("exit 7"))
                        self.assertEqual(self.run_to_end(line, pid1=pid1)[0], 7)
