#pragma once
// Reading the manager's replies. A member that is missing, null or of another
// type is empty text, 0, false, or an empty list: a reply can't break a client.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/json.h"

namespace onset {

/// As it is; escape it before it reaches a terminal.
std::string raw_text_of(const Json& object, const char* key);
/// Through printable().
std::string text_of(const Json& object, const char* key);
std::optional<std::int64_t> number_of(const Json& object, const char* key);
/// A number that is written as text, as properties are.
std::optional<std::int64_t> number_in(const Json& object, const char* key);
bool flag_of(const Json& object, const char* key);
/// The member, or null, or an empty array.
const Json& object_of(const Json& object, const char* key);
const Json& array_of(const Json& object, const char* key);
/// The texts of an array, through printable().
std::vector<std::string> texts_of(const Json& object, const char* key);
/// Of a job: " for job 3", " for a slot in a.slice (ConcurrencySoftMax=3)", or empty.
std::string what_it_waits_for(const Json& job);
/// Microseconds since 1970 of a Timestamp member.
std::optional<std::int64_t> time_of(const Json& object, const char* key);

}  // namespace onset
