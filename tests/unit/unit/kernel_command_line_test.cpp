#include "unit/kernel_command_line.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

/// "Directive=value" of each setting, blanks between them.
std::string settings(const KernelRequest& request) {
  std::string text;
  for (const ManagerOverride& o : request.settings) {
    if (!text.empty()) text += ' ';
    text += std::string(o.key) + '=' + o.value;
  }
  return text;
}

std::string told(std::string_view line, bool in_initrd = false) {
  std::string text;
  for (const Diagnostic& d : read_kernel_command_line(line, in_initrd).diagnostics) {
    text += to_string(d) + '\n';
  }
  return text;
}

KernelRequest read(std::string_view line) {
  return read_kernel_command_line(line, false);
}

struct Row {
  std::string_view line;
  std::string_view wanted;
};

}  // namespace

TEST_CASE("a kernel command line is words, quotes group", "[unit][kernel]") {
  const auto words =
      split_kernel_command_line("a b=1 'c=x y' d=\"p q\"r back\\slash  open=\"x y\n");
  REQUIRE(words.size() == 6);
  CHECK(words[0].name == "a");
  CHECK_FALSE(words[0].value);
  CHECK(words[1].value == "1");
  CHECK(words[2].name == "c");
  CHECK(words[2].value == "x y");
  CHECK(words[3].value == "p qr");
  CHECK(words[4].name == "back\\slash");
  CHECK(words[5].value == "x y\n");
  CHECK(split_kernel_command_line("").empty());
  CHECK(split_kernel_command_line("a=")[0].value == "");
  CHECK(split_kernel_command_line("a=b=c")[0].value == "b=c");
}

TEST_CASE("of a word's name - and _ are the same, of its value not", "[unit][kernel]") {
  CHECK(split_kernel_command_line("systemd.log-level=a-b")[0].name == "systemd.log_level");
  CHECK(split_kernel_command_line("systemd.log-level=a-b")[0].value == "a-b");
  CHECK(settings(read("systemd.log-level=debug")) == "LogLevel=debug");
}

TEST_CASE("words ask for a unit to start, the last one counts", "[unit][kernel]") {
  const Row rows[] = {
      {"", ""},
      {"root=/dev/vda ro console=ttyS0", ""},
      {"systemd.unit=mine.target", "mine.target"},
      {"onset.unit=mine.target", "mine.target"},
      {"emergency", "emergency.target"},
      {"-b", "emergency.target"},
      {"rescue", "rescue.target"},
      {"single", "rescue.target"},
      {"s", "rescue.target"},
      {"S", "rescue.target"},
      {"1", "rescue.target"},
      {"2", "multi-user.target"},
      {"3", "multi-user.target"},
      {"4", "multi-user.target"},
      {"5", "graphical.target"},
      {"3 systemd.unit=a.target", "a.target"},
      {"systemd.unit=a.target 3", "multi-user.target"},
      // Not theirs.
      {"single=1", ""},
      {"6", ""},
      {"0", ""},
      {"rd.emergency rd.systemd.unit=a.target", ""},
      // Refused.
      {"systemd.unit", ""},
      {"systemd.unit=", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(read(row.line).unit == row.wanted);
  }
}

TEST_CASE("in an initrd words that begin with rd. ask for a unit, and no others",
          "[unit][kernel]") {
  const Row rows[] = {
      {"rd.systemd.unit=a.target systemd.unit=b.target", "a.target"},
      {"rd.onset.unit=a.target", "a.target"},
      {"rd.emergency", "emergency.target"},
      {"rd.rescue", "rescue.target"},
      {"single 3 emergency systemd.unit=b.target", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(read_kernel_command_line(row.line, true).unit == row.wanted);
  }
  CHECK(settings(read_kernel_command_line("rd.systemd.log_level=debug systemd.show_status",
                                          true)) == "LogLevel=debug ShowStatus=yes");
  CHECK(settings(read("rd.systemd.log_level=debug")).empty());
}

TEST_CASE("words set what system.conf sets", "[unit][kernel]") {
  const Row rows[] = {
      {"debug", "LogLevel=debug"},
      {"systemd.log_level=err", "LogLevel=err"},
      {"onset.log_level=err", "LogLevel=err"},
      {"systemd.show_status", "ShowStatus=yes"},
      {"systemd.show_status=auto", "ShowStatus=auto"},
      {"systemd.setenv=A=1 systemd.setenv='B=x y'",
       "DefaultEnvironment=A=1 DefaultEnvironment=B=x y"},
      {"systemd.default_timeout_start_sec=5s", "DefaultTimeoutStartSec=5s"},
      {"systemd.default_standard_output", "DefaultStandardOutput=journal"},
      {"systemd.crash_reboot", "CrashReboot=yes"},
      {"systemd.cpu_affinity=0-1", "CPUAffinity=0-1"},
      {"systemd.log_level", ""},  // needs a value
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(settings(read(row.line)) == row.wanted);
  }
}

TEST_CASE("words say what the machine is and what is shown", "[unit][kernel]") {
  CHECK_FALSE(read("").quiet);
  CHECK(read("quiet").quiet);
  CHECK(read("").getty_auto);
  CHECK_FALSE(read("systemd.getty_auto=no").getty_auto);
  CHECK(read("systemd.hostname=a systemd.hostname=b").hostname == "b");
  CHECK(read("systemd.machine_id=0123").machine_id == "0123");
  CHECK(read("systemd.log_target=kmsg").log_target == "kmsg");
  CHECK_FALSE(read("").clock_us);
  CHECK(read("systemd.clock_usec=1000000").clock_us == 1'000'000U);
  CHECK_FALSE(read("systemd.clock_usec=-1").clock_us);
}

TEST_CASE("a word that can't be taken is told, and what others read is not", "[unit][kernel]") {
  const Row rows[] = {
      {"systemd.unit", "kernel command line: systemd.unit needs the name of a unit, ignored\n"},
      {"systemd.wants=x",
       "kernel command line: systemd.wants=x needs the name of a unit, ignored\n"},
      {"systemd.debug_shell=a/b",
       "kernel command line: systemd.debug_shell=a/b needs a boolean or a terminal, ignored\n"},
      {"systemd.log_level", "kernel command line: systemd.log_level needs a value, ignored\n"},
      {"systemd.getty_auto=x",
       "kernel command line: systemd.getty_auto=x needs a boolean, ignored\n"},
      {"systemd.clock_usec=x",
       "kernel command line: systemd.clock_usec=x needs microseconds since 1970, ignored\n"},
      {"onset.nonsense=1", "kernel command line: onset.nonsense=1 is not honoured yet, ignored\n"},
      {"root=/dev/vda ro nonsense vt.handoff=7", ""},
      {"systemd.journald.forward_to_console=1 systemd.gpt_auto=0", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(told(row.line) == row.wanted);
  }
}
