#include "unit/machine_identity.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace onset {
namespace {

constexpr std::size_t kHostnameMax = 64;  // HOST_NAME_MAX of the kernel

}  // namespace

bool hostname_is_valid(std::string_view name) {
  if (name.empty() || name.size() > kHostnameMax || name.front() == '.' || name.back() == '.') {
    return false;
  }
  char before = '.';
  for (const char c : name) {
    const bool is_alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!is_alphanumeric && c != '-' && c != '.') return false;
    if ((before == '.' && !is_alphanumeric) || (before == '-' && c == '.')) return false;
    before = c;
  }
  return before != '-';
}

std::string hostname_of_file(std::string_view text) {
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view name = trim(line);
    if (!name.empty() && !name.starts_with('#')) return std::string(name);
  }
  return {};
}

std::string plain_machine_id(std::string_view text) {
  std::string id;
  for (char c : trim(text)) {
    if (c == '-') continue;
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return {};
    if (id.size() == kMachineIdBytes * 2) return {};
    id += c;
  }
  const bool is_null = std::ranges::all_of(id, [](char c) { return c == '0'; });
  return id.size() == kMachineIdBytes * 2 && !is_null ? id : std::string();
}

std::string machine_id_of_bytes(std::array<unsigned char, kMachineIdBytes> bytes) {
  constexpr std::size_t kVersion = 6;
  constexpr std::size_t kVariant = 8;
  bytes[kVersion] = static_cast<unsigned char>((bytes[kVersion] & 0x0fU) | 0x40U);
  bytes[kVariant] = static_cast<unsigned char>((bytes[kVariant] & 0x3fU) | 0x80U);
  std::string id;
  for (const unsigned char b : bytes) id += format("{:02x}", b);
  return id;
}

}  // namespace onset
