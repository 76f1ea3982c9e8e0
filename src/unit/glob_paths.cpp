#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/text.h"
#include "unit/glob.h"

namespace onset {
namespace {

std::string without_escapes(std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\' && i + 1 < part.size()) ++i;
    text += part[i];
  }
  return text;
}

bool covers(std::string_view part, std::string_view name) {
  if (name.starts_with('.') && !part.starts_with('.') && !part.starts_with("\\.")) return false;
  return glob_matches(part, name, Backslash::Escapes);
}

/// From there on the first brace that opens; npos: none.
std::size_t next_brace(std::string_view pattern, std::size_t from) {
  for (std::size_t i = from; i < pattern.size(); ++i) {
    if (pattern[i] == '{') return i;
    if (pattern[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

/// Where the brace that opens at `open` closes; npos: nowhere, or there is no comma in it.
std::size_t brace_end(std::string_view pattern, std::size_t open) {
  int depth = 0;
  bool has_comma = false;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '{') {
      ++depth;
    } else if (pattern[i] == ',' && depth == 1) {
      has_comma = true;
    } else if (pattern[i] == '}' && --depth == 0) {
      return has_comma ? i : std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

/// The parts of "{a,{b,c}}" between the commas of the outer brace.
std::vector<std::string_view> alternatives(std::string_view inner) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\') {
      ++i;
    } else if (inner[i] == '{') {
      ++depth;
    } else if (inner[i] == '}') {
      --depth;
    } else if (inner[i] == ',' && depth == 0) {
      parts.push_back(inner.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(inner.substr(begin));
  return parts;
}

}  // namespace

Result<std::vector<std::string>> glob_paths(std::string_view pattern, FileSource& files) {
  std::vector<std::string> found{""};
  for (const std::string_view part : split(pattern, '/')) {
    if (part.empty()) continue;
    std::vector<std::string> deeper;
    for (const std::string& above : found) {
      if (!is_glob(part)) {
        deeper.push_back(above + '/' + without_escapes(part));
        continue;
      }
      const auto listing = files.list(above.empty() ? "/" : above);
      if (!listing) continue;
      for (const DirectoryItem& item : *listing) {
        if (covers(part, item.name)) deeper.push_back(above + '/' + item.name);
      }
      if (deeper.size() > kGlobPathsMax) return Failure{SysError{"glob", ENOMEM}};
    }
    found = std::move(deeper);
  }
  const bool only_folders = pattern.ends_with('/');
  std::erase_if(found, [&](std::string& path) {
    if (!only_folders) return !files.lstat(path);
    const auto status = files.stat(path);
    path += '/';
    return !status || status->kind != FileKind::Directory;
  });
  std::ranges::sort(found);
  return found;
}

std::vector<std::string> expand_braces(std::string_view pattern) {
  if (pattern.size() > PATH_MAX) return {std::string(pattern)};  // no path is so long
  std::vector<std::string> done;
  std::vector<std::string> open{std::string(pattern)};
  while (!open.empty() && done.size() < kGlobAlternativesMax) {
    const std::string one = std::move(open.back());
    open.pop_back();
    std::size_t begin = next_brace(one, 0);
    while (begin != one.npos && brace_end(one, begin) == one.npos)
      begin = next_brace(one, begin + 1);
    if (begin == one.npos) {
      done.push_back(one);
      continue;
    }
    const std::size_t end = brace_end(one, begin);
    const auto parts = alternatives(std::string_view(one).substr(begin + 1, end - begin - 1));
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (open.size() >= kGlobAlternativesMax) break;
      open.push_back(one.substr(0, begin) + std::string(*part) + one.substr(end + 1));
    }
  }
  return done;
}

}  // namespace onset
