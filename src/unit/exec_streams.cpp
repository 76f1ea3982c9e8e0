#include "unit/exec_parsers.h"

namespace onset {
namespace {

constexpr std::size_t kInputDataMax = std::size_t{16} << 20;

ExecConfig& exec_of(ParseContext& context) {
  return config_of<ExecConfig>(context.unit);
}

/// A file descriptor's name, systemd.socket(5) FileDescriptorName=.
bool fd_name_is_valid(std::string_view name) {
  return name.size() <= 255 && std::none_of(name.begin(), name.end(), [](char c) {
           return is_control(c) || c == ':' || static_cast<unsigned char>(c) > 0x7f;
         });
}

/// "fd" or "fd:NAME"; without a name it is the stream's own.
bool take_fd(const ParseContext& context, std::string_view value, std::string_view own,
             std::string& name) {
  if (value != "fd" && !value.starts_with("fd:")) return false;
  auto given = expand_value(context, value.substr(std::min<std::size_t>(3, value.size())));
  if (!given || !fd_name_is_valid(*given)) return false;
  name = given->empty() ? std::string(own) : std::move(*given);
  return true;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// RFC 4648; space between the characters is skipped. None if it is not valid.
std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  unsigned count = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = base64_value(c);
    if (value < 0 || padding > 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    if (++count % 4 == 0) {
      for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(bits >> shift & 0xffU);
      bits = 0;
    }
  }
  const unsigned rest = count % 4;
  if (rest == 1 || (rest + padding) % 4 != 0 || padding > 2) return std::nullopt;
  if (rest == 2) bytes += static_cast<char>(bits >> 4 & 0xffU);
  if (rest == 3) {
    bytes += static_cast<char>(bits >> 10 & 0xffU);
    bytes += static_cast<char>(bits >> 2 & 0xffU);
  }
  return bytes;
}

DirectorySet& set_of(ParseContext& context, ExecDirectory kind) {
  auto& set = exec_of(context).directories[static_cast<unsigned>(kind)];
  if (!set) set.emplace();
  return *set;
}

const std::optional<DirectorySet>& set_of(const Unit& unit, ExecDirectory kind) {
  return config_of<ExecConfig>(unit).directories[static_cast<unsigned>(kind)];
}

/// A path below the directory that the setting is about.
Parsed<std::string> relative_path(const ParseContext& context, std::string_view text) {
  if (!is_valid_utf8(text)) return Failure{std::string("valid UTF-8")};
  auto path = expand_value(context, text, kPathMax);
  if (!path) return path;
  if (path->empty() || path_is_absolute(*path)) return Failure{std::string("a relative path")};
  std::string simple = path_simplify(*path);
  if (simple == "." || !path_is_normalized(simple)) {
    return Failure{std::string("a path without \"..\"")};
  }
  return simple;
}

/// The way back: what add_directory() takes as a part of its own.
std::string escaped_part(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c == ':') text += '\\';
    text += is_control(c) || c == '\\' ? c_escape(std::string_view(&c, 1)) : std::string(1, c);
  }
  return text;
}

/// "PATH" or "PATH:LINK". What was expected, or nothing.
std::string add_directory(ParseContext& context, const std::string& word, ExecDirectory kind) {
  WordReader reader(word, WordFlags::CUnescape | WordFlags::UnescapeSeparators, ":");
  auto first = reader.next();
  if (!first || !*first) return "PATH or PATH:LINK";
  auto path = relative_path(context, **first);
  if (!path) return std::move(path).error();
  if (*path == "private" || path->starts_with("private/")) {
    return "another path than private, which holds those of dynamic users";
  }
  std::vector<std::string> links;
  auto second = reader.next();
  if (!second) return "PATH or PATH:LINK";
  if (*second) {
    if (kind == ExecDirectory::Configuration) return "no link: ConfigurationDirectory= has none";
    auto link = relative_path(context, **second);
    if (!link) return std::move(link).error();
    links.push_back(std::move(*link));
    if (!reader.rest().empty())
      complain(
          context, Severity::Note,
          format("{}={}: what stands behind PATH:LINK is left out", context.key, c_escape(word)));
  }
  auto& entries = set_of(context, kind).entries;
  for (DirectoryEntry& entry : entries) {
    if (entry.path != *path) continue;
    entry.links.insert(entry.links.end(), links.begin(), links.end());
    return {};
  }
  entries.push_back({std::move(*path), std::move(links)});
  return {};
}

}  // namespace

std::string parse_standard_input(ParseContext& context, std::string_view value) {
  StdStream stream;
  if (take_fd(context, value, "stdin", stream.fd_name)) {
    stream.input = ExecInput::Fd;
  } else if (value.starts_with("file:")) {
    auto path = expand_path(context, value.substr(5));
    if (!path) return std::move(path).error();
    stream.input = ExecInput::File;
    stream.path = std::move(*path);
  } else {
    const auto kind = from_string<ExecInput>(value);
    if (!kind || *kind == ExecInput::File || *kind == ExecInput::Fd) {
      return "null, tty, tty-force, tty-fail, data, socket, file:PATH or fd:NAME";
    }
    stream.input = *kind;
  }
  exec_of(context).standard_input = std::move(stream);
  return {};
}

std::string show_standard_input(const Unit& unit) {
  const auto& stream = config_of<ExecConfig>(unit).standard_input;
  if (!stream) return "null";
  std::string text(to_string(stream->input));
  if (stream->input == ExecInput::File) text += ":" + stream->path;
  if (stream->input == ExecInput::Fd) text += ":" + stream->fd_name;
  return text;
}

std::string parse_standard_output(ParseContext& context, std::string_view value,
                                  std::optional<StdStream> ExecConfig::*to) {
  StdStream stream;
  const std::string_view own = to == &ExecConfig::standard_error ? "stderr" : "stdout";
  const std::size_t colon = value.find(':');
  const auto kind = from_string<ExecOutput>(value.substr(0, colon));
  if (take_fd(context, value, own, stream.fd_name)) {
    stream.output = ExecOutput::Fd;
  } else if (value == "syslog" || value == "syslog+console") {
    stream.output = value == "syslog" ? ExecOutput::Journal : ExecOutput::JournalConsole;
    complain(context, Severity::Note,
             format("{}={} is obsolete; {} is taken for it", context.key, value,
                    to_string(stream.output)));
  } else if (colon != std::string_view::npos && kind && *kind >= ExecOutput::File) {
    auto path = expand_path(context, value.substr(colon + 1));
    if (!path) return std::move(path).error();
    stream.output = *kind;
    stream.path = std::move(*path);
  } else if (kind && colon == std::string_view::npos && *kind < ExecOutput::Fd) {
    stream.output = *kind;
  } else {
    return "inherit, null, tty, journal, kmsg, journal+console, kmsg+console, socket, file:PATH, "
           "append:PATH, truncate:PATH or fd:NAME";
  }
  exec_of(context).*to = std::move(stream);
  return {};
}

std::string show_standard_output(const Unit& unit, std::optional<StdStream> ExecConfig::*from) {
  const auto& stream = config_of<ExecConfig>(unit).*from;
  if (!stream) return from == &ExecConfig::standard_error ? "inherit" : "journal";
  std::string text(to_string(stream->output));
  if (!stream->path.empty()) text += ":" + stream->path;
  if (stream->output == ExecOutput::Fd) text += ":" + stream->fd_name;
  return text;
}

std::string parse_input_text(ParseContext& context, std::string_view value) {
  std::string& data = exec_of(context).standard_input_data;
  if (value.empty()) {
    data.clear();
    return {};
  }
  std::string unescaped;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '\\') {
      unescaped += value[at];
      continue;
    }
    const std::size_t taken = unescape_one(value.substr(at + 1), unescaped);
    if (taken == 0) return "text with valid C escapes";
    at += taken;
  }
  auto text = expand_value(context, unescaped);
  if (!text) return std::move(text).error();
  if (data.size() + text->size() + 1 > kInputDataMax) return "at most 16 MiB of input";
  data += *text;
  data += '\n';
  return {};
}

std::string parse_input_data(ParseContext& context, std::string_view value) {
  std::string& data = exec_of(context).standard_input_data;
  if (value.empty()) {
    data.clear();
    return {};
  }
  const auto bytes = decode_base64(value);
  if (!bytes) return "data in Base64";
  if (data.size() + bytes->size() > kInputDataMax) return "at most 16 MiB of input";
  data += *bytes;
  return {};
}

std::string parse_directories(ParseContext& context, std::string_view value, ExecDirectory kind) {
  if (value.empty()) {
    auto& set = exec_of(context).directories[static_cast<unsigned>(kind)];
    if (set) set->entries.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    const std::string expected = add_directory(context, word, kind);
    if (expected.empty()) continue;
    complain(context, Severity::Warning,
             format("{}={}: expected {}; ignored", context.key, c_escape(word), expected));
  }
  return {};
}

std::string show_directories(const Unit& unit, ExecDirectory kind) {
  std::vector<std::string> words;
  const auto& set = set_of(unit, kind);
  if (!set) return {};
  for (const DirectoryEntry& entry : set->entries) {
    const std::string path = escaped_part(entry.path);
    if (entry.links.empty()) words.push_back(path);
    for (const std::string& link : entry.links) words.push_back(path + ":" + escaped_part(link));
  }
  return join_words(words, WordFlags::Unquote | WordFlags::RetainEscapes);
}

std::string parse_directory_mode(ParseContext& context, std::string_view value,
                                 ExecDirectory kind) {
  const auto mode = parse_mode(value);
  if (!mode) return mode.error();
  set_of(context, kind).mode = *mode;
  return {};
}

std::string show_directory_mode(const Unit& unit, ExecDirectory kind) {
  const auto& set = set_of(unit, kind);
  return format("{:04o}", set ? set->mode : 0755U);
}

std::string parse_preserve(ParseContext& context, std::string_view value) {
  Preserve& preserve = exec_of(context).runtime_directory_preserve;
  if (value == "restart") {
    preserve = Preserve::Restart;
    return {};
  }
  const auto kept = parse_bool(value);
  if (!kept) return "a boolean or restart";
  preserve = *kept ? Preserve::Yes : Preserve::No;
  return {};
}

}  // namespace onset
