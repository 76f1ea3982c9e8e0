#include "cli/reply.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/render.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string raw_text_of(const json& object, const char* key) {
  const json* const value = member(object, key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_ref<const std::string&>();
}

std::string text_of(const json& object, const char* key) {
  return printable(raw_text_of(object, key));
}

std::optional<std::int64_t> number_of(const json& object, const char* key) {
  const json* const value = member(object, key);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  return value->get<std::int64_t>();
}

std::optional<std::int64_t> number_in(const json& object, const char* key) {
  const auto number = parse_uint<std::uint64_t>(raw_text_of(object, key));
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

bool flag_of(const json& object, const char* key) {
  const json* const value = member(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

const json& object_of(const json& object, const char* key) {
  static const json kNull;
  const json* const value = member(object, key);
  return value == nullptr || !value->is_object() ? kNull : *value;
}

const json& array_of(const json& object, const char* key) {
  static const json kEmpty = json::array();
  const json* const value = member(object, key);
  return value == nullptr || !value->is_array() ? kEmpty : *value;
}

std::vector<std::string> texts_of(const json& object, const char* key) {
  std::vector<std::string> texts;
  for (const json& one : array_of(object, key)) {
    if (one.is_string()) texts.push_back(printable(one.get_ref<const std::string&>()));
  }
  return texts;
}

std::string what_it_waits_for(const json& job) {
  if (const auto other = number_of(job, "waits_for")) return format(" for job {}", *other);
  const std::string holder = text_of(job, "held_by");
  return holder.empty() ? std::string() : format(" for a slot in {}", holder);
}

std::optional<std::int64_t> time_of(const json& object, const char* key) {
  const auto us = number_of(object_of(object, key), "realtime");
  return us && *us > 0 ? us : std::nullopt;
}

}  // namespace onset
