#pragma once
// Objects of JSON that leave nothing behind where memory runs out. The library's own constructor
// from a list in braces makes the object before its members; what one of these throws leaves the
// object and the members so far to nobody. In PID 1 objects are made by json_object() alone.

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "control/json.h"

namespace onset {

struct JsonMember {
  std::string_view name;
  mutable Json value;  ///< is moved into the object, out of the list
};

/// json_object({{"name", value}, …}). Of members with one name the first stays. Throws bad_alloc.
Json json_object(std::initializer_list<JsonMember> members);

}  // namespace onset
