#pragma once
// Signal names and numbers. RTMIN is 34 and RTMAX 64 whatever libc thinks.

#include <string>
#include <string_view>

#include "base/result.h"

namespace onset {

inline constexpr int kSigRtMin = 34;
inline constexpr int kSigRtMax = 64;

/// "TERM", "SIGTERM", "15", "RTMIN", "RTMIN+3", "RTMAX-2": a number 1..64. The
/// error is what was expected.
Result<int, std::string> parse_signal(std::string_view text);
/// "TERM", "RTMIN+3"; the bare number for one without a name.
std::string signal_name(int signal);
/// "SIGTERM", "SIGRTMIN+3"; the bare number for one without a name.
std::string signal_name_long(int signal);

}  // namespace onset
