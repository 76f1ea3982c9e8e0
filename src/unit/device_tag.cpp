#include "unit/device_tag.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/words.h"

namespace onset {
namespace {

struct Tag {
  std::string_view tag;
  std::string_view folder;
};
constexpr Tag kTags[] = {{"UUID=", "/dev/disk/by-uuid/"},
                         {"LABEL=", "/dev/disk/by-label/"},
                         {"PARTUUID=", "/dev/disk/by-partuuid/"},
                         {"PARTLABEL=", "/dev/disk/by-partlabel/"}};

/// What udev leaves in the name of a link, besides letters, digits and characters beyond ASCII.
constexpr std::string_view kPlain = "#+-.:=@_";

std::string file_name_of(std::string_view value) {
  std::string name;
  while (!value.empty()) {
    const char c = value.front();
    const std::size_t length = utf8_length(value);
    if (length > 1) {
      name += value.substr(0, length);
    } else if (is_alpha(c) || is_digit(c) || kPlain.find(c) != kPlain.npos) {
      name += c;
    } else {
      name += format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    value.remove_prefix(length > 1 ? length : 1);
  }
  return name;
}

std::string_view without_quotes(std::string_view value) {
  const bool is_quoted = value.size() > 1 && value.front() == value.back() &&
                         (value.front() == '"' || value.front() == '\'');
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::string device_of_tag(std::string_view what) {
  for (const Tag& tag : kTags) {
    if (!what.starts_with(tag.tag)) continue;
    const std::string_view value = without_quotes(what.substr(tag.tag.size()));
    if (!value.empty()) return format("{}{}", tag.folder, file_name_of(value));
  }
  return std::string(what);
}

std::string tag_of_link(std::string_view path) {
  for (const Tag& tag : kTags) {
    if (!path.starts_with(tag.folder)) continue;
    std::string value(tag.tag);
    for (std::string_view rest = path.substr(tag.folder.size()); !rest.empty();) {
      const bool is_escape = rest.starts_with("\\x");
      const std::size_t taken = is_escape ? unescape_one(rest.substr(1), value) : 0;
      if (taken == 0) value += rest.front();
      rest.remove_prefix(1 + taken);
    }
    return value;
  }
  return {};
}

}  // namespace onset
