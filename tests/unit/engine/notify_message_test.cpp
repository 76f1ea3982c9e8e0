#include <catch2/catch.hpp>

#include <random>

#include "base/text.h"
#include "engine/notify_message.h"

namespace onset::test {
namespace {

using namespace std::string_view_literals;

TEST_CASE("the words of a message are found among others", "[engine][notify_message]") {
  const ParsedNotify n = parse_notify("X_OTHER=1\nREADY=1\nRELOADING=1\n\nSTOPPING=1\nnonsense\n");
  CHECK(n.message.ready);
  CHECK(n.message.reloading);
  CHECK(n.message.stopping);
  CHECK(n.problem.empty());
  CHECK_FALSE(n.dropped);
}

TEST_CASE("a word with another value is another word", "[engine][notify_message]") {
  for (std::string_view text : {"READY=0", "READY=11", "READY", " READY=1", "READY=1 ", "ready=1",
                                "XREADY=1", "READY=1\r"}) {
    CHECK_FALSE(parse_notify(text).message.ready);
  }
}

TEST_CASE("an empty, oversized or binary datagram is dropped whole", "[engine][notify_message]") {
  const std::string big = "READY=1\nSTATUS=" + std::string(kNotifyMax, 'x');
  for (std::string_view text :
       {""sv, "\0"sv, "\0\0\0"sv, "\0READY=1"sv, "READY=1\0STOPPING=1"sv, std::string_view(big)}) {
    const ParsedNotify n = parse_notify(text);
    CHECK(n.dropped);
    CHECK_FALSE(n.message.ready);
    CHECK_FALSE(n.message.stopping);
    CHECK_FALSE(n.status.has_value());
    CHECK_FALSE(n.problem.empty());
  }
}

TEST_CASE("the NUL that some clients send along is no harm", "[engine][notify_message]") {
  CHECK(parse_notify("READY=1\0"sv).message.ready);
  CHECK(parse_notify("READY=1\n\0"sv).message.ready);
}

TEST_CASE("MAINPID= is a decimal number above zero", "[engine][notify_message]") {
  CHECK(parse_notify("MAINPID=4711").message.main_pid == 4711);
  CHECK(parse_notify("MAINPID=2147483647").message.main_pid == 2147483647);
  for (std::string_view value : {"0", "-1", "+5", " 5", "5 ", "0x5", "2147483648", "4294967296",
                                 "18446744073709551617", "", "5a"}) {
    const ParsedNotify n = parse_notify("MAINPID=" + std::string(value));
    INFO(value);
    CHECK_FALSE(n.message.main_pid.has_value());
    CHECK(n.problem == "bad value of MAINPID=");
  }
}

TEST_CASE("numbers are read, clamped where they are spans, refused elsewhere",
          "[engine][notify_message]") {
  const ParsedNotify n = parse_notify(
      "ERRNO=2\nMONOTONIC_USEC=123\nWATCHDOG_USEC=20000000\nEXTEND_TIMEOUT_USEC=5\nEXIT_STATUS=7");
  CHECK(n.message.error_number == 2);
  CHECK(n.message.monotonic == MonoTime{123});
  CHECK(n.message.watchdog_period == std::chrono::seconds(20));
  CHECK(n.message.extend_timeout == Duration(5));
  CHECK(n.message.exit_status == 7);
  CHECK(parse_notify("WATCHDOG_USEC=18446744073709551615").message.watchdog_period == kInfinity);
  CHECK(parse_notify("EXTEND_TIMEOUT_USEC=9223372036854775807").message.extend_timeout ==
        kInfinity);
  CHECK_FALSE(parse_notify("EXTEND_TIMEOUT_USEC=99999999999999999999").message.extend_timeout);
  CHECK_FALSE(parse_notify("MONOTONIC_USEC=18446744073709551615").message.monotonic);
  CHECK_FALSE(parse_notify("ERRNO=4096").message.error_number);
  CHECK_FALSE(parse_notify("ERRNO=-2").message.error_number);
  CHECK_FALSE(parse_notify("EXIT_STATUS=256").message.exit_status);
}

TEST_CASE("WATCHDOG= knows two values", "[engine][notify_message]") {
  CHECK(parse_notify("WATCHDOG=1").message.watchdog);
  CHECK(parse_notify("WATCHDOG=trigger").message.watchdog_trigger);
  const ParsedNotify n = parse_notify("WATCHDOG=yes");
  CHECK_FALSE(n.message.watchdog);
  CHECK_FALSE(n.message.watchdog_trigger);
  CHECK(n.problem == "bad value of WATCHDOG=");
}

TEST_CASE("of a name given twice the first counts", "[engine][notify_message]") {
  CHECK(parse_notify("MAINPID=5\nMAINPID=6").message.main_pid == 5);
  CHECK_FALSE(parse_notify("MAINPID=x\nMAINPID=6").message.main_pid.has_value());
  CHECK(parse_notify("STATUS=a\nSTATUS=b").status == "a");
}

TEST_CASE("STATUS= is one line that moves no cursor and forges no field",
          "[engine][notify_message]") {
  CHECK(parse_notify("STATUS=Completed 66% … of \\ it").status == "Completed 66% … of \\ it");
  CHECK(parse_notify("STATUS=").status == "");
  CHECK(parse_notify("STATUS=a\x1b[2Jb\tc\x7f\rd").status == "a [2Jb c  d");
  CHECK(parse_notify("STATUS=a\xc2\x9b"
                     "2Jb")
            .status == "a 2Jb");
  CHECK_FALSE(parse_notify("STATUS=a\xff").status.has_value());
  CHECK_FALSE(parse_notify("STATUS=\xed\xa0\x80").status.has_value());
  const ParsedNotify n = parse_notify("STATUS=x=READY=1 MAINPID=5");
  CHECK_FALSE(n.message.ready);
  CHECK_FALSE(n.message.main_pid.has_value());
}

TEST_CASE("BARRIER=1 stands alone or nothing counts", "[engine][notify_message]") {
  CHECK(parse_notify("BARRIER=1").barrier);
  CHECK(parse_notify("BARRIER=1\n").barrier);
  const ParsedNotify n = parse_notify("BARRIER=1\nREADY=1");
  CHECK(n.dropped);
  CHECK_FALSE(n.barrier);
  CHECK_FALSE(n.message.ready);
}

TEST_CASE("the descriptor store's fields are recognised with valid names only",
          "[engine][notify_message]") {
  CHECK(parse_notify("FDSTORE=1").fd_name == "stored");
  const ParsedNotify n = parse_notify("FDSTORE=1\nFDNAME=listen\nFDPOLL=0");
  CHECK(n.fd_store);
  CHECK(n.fd_name == "listen");
  CHECK_FALSE(n.fd_poll);
  CHECK(parse_notify("FDSTORE=1\nFDNAME=a:b").fd_name == "stored");
  CHECK(parse_notify("FDSTORE=1\nFDNAME=" + std::string(256, 'a')).fd_name == "stored");
  CHECK(parse_notify("FDSTOREREMOVE=1\nFDNAME=a").fd_store_remove);
  CHECK_FALSE(parse_notify("FDSTOREREMOVE=1").fd_store_remove);
  CHECK_FALSE(parse_notify("FDSTOREREMOVE=1\nFDNAME=\x01").fd_store_remove);
}

TEST_CASE("random bytes give bounded, printable answers", "[engine][notify_message]") {
  std::mt19937 random(20240611);
  constexpr std::array words{"READY=1"sv, "MAINPID="sv,  "STATUS="sv, "BARRIER=1"sv,
                             "FDNAME="sv, "WATCHDOG="sv, "\n"sv,      "=\n"sv,
                             "\x1b["sv,   "9999999999"sv};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const auto parts = random() % 12;
    for (std::uint_fast32_t i = 0; i < parts; ++i) {
      if (random() % 3 == 0) {
        text.push_back(static_cast<char>(random() % 256));
      } else {
        text += words[random() % words.size()];
      }
    }
    const ParsedNotify n = parse_notify(text);
    if (n.status) {
      REQUIRE(is_valid_utf8(*n.status));
      for (char c : *n.status) REQUIRE_FALSE(is_control(c));
    }
    REQUIRE(n.fd_name.size() <= kNotifyFdNameMax);
    if (n.message.main_pid) REQUIRE(*n.message.main_pid > 0);
  }
}

}  // namespace
}  // namespace onset::test
