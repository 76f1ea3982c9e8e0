#include "control/json_object.h"

#include <string>
#include <utility>

namespace onset {

Json json_object(std::initializer_list<JsonMember> members) {
  Json object = Json::object();
  for (const JsonMember& member : members) {
    object.emplace(std::string(member.name), std::move(member.value));
  }
  return object;
}

}  // namespace onset
