// Text and paths as plain strings. Each function is one pass over its input.
#include "base/text.h"

#include <algorithm>

#include "base/format.h"

namespace onset {

std::string_view trim(std::string_view s) noexcept {
  const std::size_t first = s.find_first_not_of(kWhitespace);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(kWhitespace) - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = s.find(separator);
    parts.push_back(s.substr(0, at));
    if (at == std::string_view::npos) return parts;
    s.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> split_whitespace(std::string_view s) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t first = s.find_first_not_of(kWhitespace);
    if (first == std::string_view::npos) return parts;
    s.remove_prefix(first);
    const std::size_t end = std::min(s.find_first_of(kWhitespace), s.size());
    parts.push_back(s.substr(0, end));
    s.remove_prefix(end);
  }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) out += separator;
    out += part;
  }
  return out;
}

namespace {

struct Magnitude {
  std::uint64_t value = 0;
  bool negative = false;
};

/// Sign, prefix and digits; what the caller may take of it is its own business.
std::optional<Magnitude> parse_magnitude(std::string_view s) noexcept {
  const std::size_t first = s.find_first_not_of(kWhitespace);
  if (first == std::string_view::npos) return std::nullopt;
  s.remove_prefix(first);
  Magnitude m;
  // 0b and 0o are looked for before a sign: "-0b1" is no number.
  int base = 0;
  if (s.size() > 1 && s[0] == '0' &&
      std::string_view("bBoO").find(s[1]) != std::string_view::npos) {
    base = s[1] == 'b' || s[1] == 'B' ? 2 : 8;
    s.remove_prefix(2);
  }
  if (s.starts_with('-') || s.starts_with('+')) {
    m.negative = s.front() == '-';
    s.remove_prefix(1);
  }
  if (base == 0) {
    const bool hex = s.size() > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    if (hex) s.remove_prefix(2);
    base = hex ? 16 : s.starts_with('0') ? 8 : 10;
  }
  const std::optional<std::uint64_t> value = parse_uint<std::uint64_t>(s, base);
  if (!value) return std::nullopt;
  m.value = *value;
  return m;
}

}  // namespace

std::optional<std::uint64_t> parse_number_u64(std::string_view s) noexcept {
  const std::optional<Magnitude> m = parse_magnitude(s);
  if (!m || (m->negative && m->value != 0)) return std::nullopt;
  return m->value;
}

std::optional<std::int64_t> parse_number_i64(std::string_view s) noexcept {
  const std::optional<Magnitude> m = parse_magnitude(s);
  constexpr std::uint64_t kMax = INT64_MAX;
  if (!m || m->value > kMax + (m->negative ? 1 : 0)) return std::nullopt;
  // Unsigned negation wraps, so that INT64_MIN comes out right.
  return static_cast<std::int64_t>(m->negative ? std::uint64_t{0} - m->value : m->value);
}

std::size_t utf8_length(std::string_view s) noexcept {
  if (s.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && byte(1) > 0x9f) return 0;  // surrogates
  if (lead == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;  // above U+10FFFF
  return length;
}

bool is_valid_utf8(std::string_view s) noexcept {
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    if (length == 0) return false;
    s.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string c_escape(std::string_view s) {
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\";
  constexpr std::string_view kLetters = "abfnrtv\\";
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    const std::size_t named = kNamed.find(s.front());
    const std::size_t length = utf8_length(s);
    // U+0080..U+009F are controls to a terminal, too.
    const bool c1 = length == 2 && s[0] == '\xc2' && static_cast<unsigned char>(s[1]) < 0xa0;
    if (named != std::string_view::npos) {
      out += '\\';
      out += kLetters[named];
      s.remove_prefix(1);
    } else if (length == 0 || c1 || is_control(s.front())) {
      const std::size_t bytes = c1 ? 2 : 1;
      for (std::size_t i = 0; i < bytes; ++i)
        out += format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(s[i])));
      s.remove_prefix(bytes);
    } else {
      out += s.substr(0, length);
      s.remove_prefix(length);
    }
  }
  return out;
}

std::string path_simplify(std::string_view path) {
  if (path.empty()) return {};
  const bool absolute = path_is_absolute(path);
  std::string out;
  out.reserve(path.size());
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (absolute || !out.empty()) out += '/';
    out += part;
  }
  if (out.empty()) out = absolute ? "/" : ".";
  return out;
}

bool path_is_valid(std::string_view path) noexcept {
  if (path.empty() || path.size() > kPathMax) return false;
  std::size_t length = 0;
  for (const char c : path) {
    if (c == '\0') return false;
    length = c == '/' ? 0 : length + 1;
    if (length > kNameMax) return false;
  }
  return true;
}

bool path_is_normalized(std::string_view path) noexcept {
  if (!path_is_valid(path) || path.find("//") != std::string_view::npos) return false;
  std::size_t from = 0;
  while (from <= path.size()) {
    const std::size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    if (part == "." || part == "..") return false;
    from = end + 1;
  }
  return true;
}

bool filename_is_valid(std::string_view name) noexcept {
  return !name.empty() && name != "." && name != ".." && name.size() <= kNameMax &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::string encode_base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(bytes.size() - at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace onset
