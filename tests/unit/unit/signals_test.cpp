#include "unit/signals.h"

#include <catch2/catch.hpp>
#include <csignal>

using namespace onset;

TEST_CASE("every signal's name is read back as its number", "[unit][signals]") {
  for (int signal = 1; signal <= kSigRtMax; ++signal) {
    CAPTURE(signal);
    CHECK(*parse_signal(signal_name(signal)) == signal);
    CHECK(*parse_signal(signal_name_long(signal)) == signal);
  }
}

TEST_CASE("names are the kernel's", "[unit][signals]") {
  CHECK(signal_name(SIGTERM) == "TERM");
  CHECK(signal_name(SIGSTKFLT) == "STKFLT");
  CHECK(signal_name(SIGSYS) == "SYS");
  CHECK(signal_name(SIGVTALRM) == "VTALRM");
  CHECK(signal_name_long(SIGWINCH) == "SIGWINCH");
  CHECK(signal_name_long(37) == "SIGRTMIN+3");
  CHECK(signal_name_long(33) == "33");
  CHECK(signal_name(0) == "0");
  CHECK(signal_name(65) == "65");
}

TEST_CASE("real-time signals count from 34 whatever libc keeps for itself", "[unit][signals]") {
  CHECK(*parse_signal("RTMIN") == 34);
  CHECK(*parse_signal("SIGRTMIN+3") == 37);
  CHECK(*parse_signal("RTMAX-2") == 62);
  for (const char* bad :
       {"RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMIN+", "RTMIN+ 1", "RTMIN++1", "", "SIG", "term"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_signal(bad));
  }
}
