// Assignments in a flat list: an environment has some tens of names, and its
// order is what a process sees. One with very many (a file of 4 MiB may name half
// a million) gets an index of the names.
#include "unit/environment.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {
namespace {

/// Up to here a scan is as fast as a hash.
constexpr std::size_t kScanned = 64;

std::string_view name_in(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

}  // namespace

Environment::Environment(const std::vector<std::string>& assignments) {
  all_.reserve(assignments.size());
  for (const std::string& assignment : assignments) set_assignment(assignment);
}

std::size_t Environment::find(std::string_view name) const {
  if (!positions_.empty()) {
    const auto at = positions_.find(std::string(name));
    return at == positions_.end() ? all_.size() : at->second;
  }
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (all_[i].size() > name.size() && all_[i][name.size()] == '=' && all_[i].starts_with(name))
      return i;
  return all_.size();
}

void Environment::set(std::string_view name, std::string_view value) {
  std::string assignment(name);
  assignment.append("=").append(value);
  const std::size_t at = find(name);
  if (at != all_.size()) {
    all_[at] = std::move(assignment);
    return;
  }
  all_.push_back(std::move(assignment));
  if (!positions_.empty()) {
    positions_.emplace(name, at);
  } else if (all_.size() > kScanned) {
    index();
  }
}

void Environment::index() {
  positions_.clear();
  if (all_.size() <= kScanned) return;
  for (std::size_t i = 0; i < all_.size(); ++i) positions_.emplace(name_in(all_[i]), i);
}

bool Environment::set_assignment(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == 0 || equals == std::string_view::npos) return false;
  set(assignment.substr(0, equals), assignment.substr(equals + 1));
  return true;
}

void Environment::unset(const std::vector<std::string>& names_or_assignments) {
  std::vector<bool> goes(all_.size(), false);
  for (const std::string& text : names_or_assignments) {
    const std::size_t at = find(name_in(text));
    if (at == all_.size()) continue;
    const bool only_if_equal = text.find('=') != std::string::npos;
    if (!only_if_equal || all_[at] == text) goes[at] = true;
  }
  std::size_t i = 0;
  std::erase_if(all_, [&](const std::string&) { return goes[i++]; });
  index();
}

std::optional<std::string_view> Environment::get(std::string_view name) const {
  const std::size_t at = find(name);
  if (at == all_.size()) return std::nullopt;
  return std::string_view(all_[at]).substr(name.size() + 1);
}

void Environment::merge(const Environment& other) {
  for (const std::string& assignment : other.all_) set_assignment(assignment);
}

EnvironmentAssignments parse_environment_assignments(std::string_view value,
                                                     const SpecifierScope& scope) {
  EnvironmentAssignments result;
  WordReader words(value, kUnquoteAndUnescape);
  for (;;) {
    auto word = words.next();
    if (!word) result.problems.push_back(std::move(word).error());
    if (!word || !*word) return result;
    auto assignment = expand_specifiers(**word, scope);
    if (!assignment)
      result.problems.push_back(std::move(assignment).error());
    else if (!environment_assignment_is_valid(*assignment))
      result.problems.push_back(format("expected NAME=VALUE, not \"{}\"", c_escape(*assignment)));
    else
      result.assignments.push_back(std::move(*assignment));
  }
}

}  // namespace onset
