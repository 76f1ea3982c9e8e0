#pragma once
// systemd's own tools, asked what texts mean: of the machine, or of the package unpacked below
// $SYSTEMD_ROOT (tools/test sees to that). No systemd has to run.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace onset::test {

/// Leaves the case if the tools are not there, and has tools/run_tests.py count it as skipped, as
/// tests/unit/os/os_world.h does.
#define ONSET_NEEDS_ORACLE()                                                                 \
  if (!::onset::test::has_oracle()) {                                                        \
    ::onset::test::note_skip(                                                                \
        "no systemd-analyze; SYSTEMD_ROOT= names a folder with systemd's package unpacked"); \
    SUCCEED("[skipped]");                                                                    \
    return;                                                                                  \
  }
bool has_oracle();
void note_skip(std::string_view why);

/// How systemd answers a text that it does not take.
inline constexpr std::string_view kNotTaken = "!";

/// Of each text what systemd-analyze timespan says: microseconds and the span as it is printed.
struct OracleSpan {
  std::string microseconds;  ///< or kNotTaken
  std::string printed;
};
std::vector<OracleSpan> spans_by_systemd(const std::vector<std::string>& texts);

/// Of each text what systemd-escape with these options answers, or kNotTaken.
std::vector<std::string> escaped_by_systemd(const std::vector<std::string>& options,
                                            const std::vector<std::string>& texts);

/// One unit as systemd's manager has loaded it.
struct OracleUnit {
  std::string load_state;  ///< "loaded", "bad-setting", …
  std::multimap<std::string, std::string> properties;
  std::vector<std::vector<std::string>> commands;  ///< of ExecStartPre=
  std::vector<std::string> said;                   ///< about its file
  /// All lines of a property, joined with blanks; "-" if there are none.
  [[nodiscard]] std::string value(const std::string& property) const;
};
/// Units by name, from their files, all in one run of "systemd --test --user".
std::map<std::string, OracleUnit> loaded_by_systemd(
    const std::map<std::string, std::string>& files);

}  // namespace onset::test
