#include "control/parameters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/json.h"

namespace onset {

using json = Json;

const json* Parameters::find(const char* name) {
  known_.push_back(name);
  auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void Parameters::refuse(const char* name) {
  if (bad_.empty()) bad_ = name;
}

std::optional<std::string> Parameters::optional_text(const char* name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->get_ptr<const std::string*>()) return *text;
  refuse(name);
  return std::nullopt;
}

std::string Parameters::text(const char* name) {
  auto value = optional_text(name);
  if (!value) refuse(name);
  return value.value_or(std::string());
}

std::optional<std::vector<std::string>> Parameters::optional_texts(const char* name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  if (!value->is_array()) {
    refuse(name);
    return std::nullopt;
  }
  for (const json& element : *value) {
    const auto* text = element.get_ptr<const std::string*>();
    if (text == nullptr) {
      refuse(name);
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

std::vector<std::string> Parameters::texts(const char* name) {
  auto value = optional_texts(name);
  if (!value) refuse(name);
  return value ? std::move(*value) : std::vector<std::string>();
}

namespace {

std::optional<std::int64_t> number_in_range(const json& value, std::int64_t lowest,
                                            std::int64_t highest) {
  std::optional<std::int64_t> number;
  // What does not fit into 64 bits with a sign is out of any range here.
  if (const auto* u = value.get_ptr<const std::uint64_t*>()) {
    if (*u <= static_cast<std::uint64_t>(INT64_MAX)) number = static_cast<std::int64_t>(*u);
  } else if (const auto* i = value.get_ptr<const std::int64_t*>()) {
    number = *i;
  }
  return number && *number >= lowest && *number <= highest ? number : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> Parameters::optional_number(const char* name, std::int64_t lowest,
                                                        std::int64_t highest) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = number_in_range(*value, lowest, highest);
  if (!number) refuse(name);
  return number;
}

std::optional<std::vector<std::int64_t>> Parameters::optional_numbers(const char* name,
                                                                      std::int64_t lowest,
                                                                      std::int64_t highest) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::int64_t> numbers;
  if (!value->is_array()) {
    refuse(name);
    return std::nullopt;
  }
  for (const json& element : *value) {
    const auto number = number_in_range(element, lowest, highest);
    if (!number) {
      refuse(name);
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

std::int64_t Parameters::number(const char* name, std::int64_t lowest, std::int64_t highest) {
  auto value = optional_number(name, lowest, highest);
  if (!value) refuse(name);
  return value.value_or(lowest);
}

bool Parameters::flag(const char* name) {
  const json* value = find(name);
  if (value == nullptr) return false;
  if (const auto* flag = value->get_ptr<const bool*>()) return *flag;
  refuse(name);
  return false;
}

std::string Parameters::bad() {
  for (auto it = object_.begin(); bad_.empty() && it != object_.end(); ++it) {
    const auto matches = [&](const char* name) { return it.key() == name; };
    if (std::none_of(known_.begin(), known_.end(), matches)) bad_ = it.key();
  }
  return bad_;
}

}  // namespace onset
