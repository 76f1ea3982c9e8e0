#pragma once
// The environment of a process as data: Environment=, EnvironmentFile= and
// UnsetEnvironment= of systemd.exec(5).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "unit/specifiers.h"

namespace onset {

/// NAME=VALUE texts, each name once, in the order of their first setting.
class Environment {
 public:
  Environment() = default;
  /// Later ones win; what has no "=" or no name is left out.
  explicit Environment(const std::vector<std::string>& assignments);

  void set(std::string_view name, std::string_view value);
  /// NAME=VALUE. False, and nothing done, if there is no "=" or no name.
  bool set_assignment(std::string_view assignment);
  /// As UnsetEnvironment=: names, and NAME=VALUE, which goes only if it is equal.
  void unset(const std::vector<std::string>& names_or_assignments);
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  /// Sets everything of `other`.
  void merge(const Environment& other);

  [[nodiscard]] const std::vector<std::string>& assignments() const& noexcept { return all_; }
  [[nodiscard]] std::vector<std::string> assignments() && noexcept { return std::move(all_); }
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  [[nodiscard]] std::size_t find(std::string_view name) const;
  void index();

  std::vector<std::string> all_;
  std::unordered_map<std::string, std::size_t> positions_;  ///< by name; empty for a few
};

struct EnvironmentAssignments {
  std::vector<std::string> assignments;  ///< valid NAME=VALUE texts, in order
  std::vector<std::string> problems;     ///< what was left out and why
};
/// A value of Environment=: words with quotes and C escapes, specifiers expanded in
/// each. A broken word ends the value, an assignment that is not valid is left out.
EnvironmentAssignments parse_environment_assignments(std::string_view value,
                                                     const SpecifierScope& scope);

struct EnvironmentFileProblem {
  unsigned line = 0;
  std::string message;
};
struct EnvironmentFileText {
  std::vector<std::string> assignments;
  std::vector<EnvironmentFileProblem> problems;
};
/// The text of an EnvironmentFile=: NAME=VALUE lines, "#" and ";" comments, a
/// backslash before a newline joins lines, '…' is literal, in "…" a backslash
/// protects " \ ` $ and newline. What is not valid is left out and told.
EnvironmentFileText parse_environment_file(std::string_view text);

}  // namespace onset
