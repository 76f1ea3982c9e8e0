#pragma once
// Help and version texts, made from the tables of verbs and options.

#include <string>
#include <string_view>

namespace onset {

std::string help_text(std::string_view program);
std::string version_text();

}  // namespace onset
