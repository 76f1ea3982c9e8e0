#pragma once
// What the rooms of install say, in systemctl's words.

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "unit/install.h"

namespace onset {

inline std::string failed_to(std::string_view verb, std::string_view what) {
  return format("Failed to {} unit, {}", verb, what);
}

inline void fail(InstallOutcome& outcome, std::string message) {
  outcome.changes.push_back({InstallChange::Kind::Failure, {}, {}, std::move(message)});
}

inline void note(InstallOutcome& outcome, std::string message) {
  outcome.changes.push_back({InstallChange::Kind::Note, {}, {}, std::move(message)});
}

inline void append(InstallOutcome& to, InstallOutcome from) {
  std::move(from.changes.begin(), from.changes.end(), std::back_inserter(to.changes));
  to.has_install_info = to.has_install_info || from.has_install_info;
}

}  // namespace onset
