#include "unit/root_password.h"

#include <optional>

#include "base/text.h"

namespace onset {
namespace {

std::optional<std::string_view> password_of_root(std::string_view text) {
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() > 1 && fields[0] == "root") return fields[1];
  }
  return std::nullopt;
}

}  // namespace

bool root_has_no_password(std::string_view passwd, std::string_view shadow) {
  // Accounts are nothing that such a system has: an initramfs, or an image of one program.
  if (trim(passwd).empty()) return trim(shadow).empty();
  const auto password = password_of_root(passwd);
  if (!password) return false;
  if (*password != "x") return password->empty();
  const auto hidden = password_of_root(shadow);
  return hidden && hidden->empty();
}

}  // namespace onset
