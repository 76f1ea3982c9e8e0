// Prints docs/directives.md: the table of directives, as the loader has it.
// The test "docs" holds the file in the repository to what is printed here.

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/format.h"
#include "unit/directives.h"
#include "unit/manager_settings.h"

namespace onset {
namespace {

/// The pages of systemd's manual: which sections a directive is read in.
enum class Page : std::uint8_t { Section, Exec, Kill, Resource };

Page page_of(const Directive& d) {
  if (d.section != Section::Service) return Page::Section;
  if (find_directive(Section::Slice, d.name) == &d) return Page::Resource;
  if (find_directive(Section::Scope, d.name) == &d) return Page::Kill;
  if (find_directive(Section::Mount, d.name) == &d) return Page::Exec;
  return Page::Section;
}

struct Chapter {
  std::string_view title;
  Page page;
  Section section;
};

constexpr std::array kChapters = {
    Chapter{"[Unit]", Page::Section, Section::Unit},
    Chapter{"[Service]", Page::Section, Section::Service},
    Chapter{"How processes are run: [Service], [Socket], [Mount], [Swap]", Page::Exec,
            Section::Service},
    Chapter{"How processes are ended: the same and [Scope]", Page::Kill, Section::Service},
    Chapter{"What processes may use: the same and [Slice]", Page::Resource, Section::Service},
    Chapter{"[Install]", Page::Section, Section::Install},
    Chapter{"[Scope]", Page::Section, Section::Scope},
    Chapter{"[Slice]", Page::Section, Section::Slice},
    Chapter{"[Socket]", Page::Section, Section::Socket},
    Chapter{"[Timer]", Page::Section, Section::Timer},
    Chapter{"[Path]", Page::Section, Section::Path},
    Chapter{"[Mount]", Page::Section, Section::Mount},
    Chapter{"[Automount]", Page::Section, Section::Automount},
    Chapter{"[Swap]", Page::Section, Section::Swap},
};

std::string_view word_of(Support support) {
  switch (support) {
    case Support::Honoured:
      return "yes";
    case Support::NotYet:
      return "not yet";
    case Support::Obsolete:
      return "obsolete";
  }
  return {};
}

/// A cell of a table: no bar, and nothing that Markdown takes for markup.
std::string cell(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') shown += '\\';
    shown += c;
  }
  return shown;
}

std::string row_of(const Directive& d) {
  std::string text = format("| `{}=` | {} | {} |", d.name, word_of(d.support), cell(d.help));
  if (d.since > 252) text.insert(text.size() - 2, format(" Since systemd {}.", d.since));
  return text;
}

bool is_in(const Directive& d, const Chapter& chapter) {
  return page_of(d) == chapter.page && d.section == chapter.section;
}

std::string chapter_text(const Chapter& chapter) {
  std::string rows;
  for (const Directive& d : directives()) {
    if (is_in(d, chapter)) rows += row_of(d) + '\n';
  }
  if (rows.empty()) return {};
  return format("\n## {}\n\n| directive | honoured | what it says |\n|---|---|---|\n{}",
                chapter.title, rows);
}

std::string manager_text() {
  std::string text =
      "\n## [Manager] of system.conf and user.conf\n\n"
      "Not counted above.\n\n| directive | honoured | what it says |\n|---|---|---|\n";
  for (const ManagerDirective& d : manager_directives()) {
    text += format("| `{}=` | {} | {} |\n", d.name, word_of(d.support), cell(d.help));
  }
  return text;
}

std::string document() {
  std::size_t honoured = 0;
  std::size_t not_yet = 0;
  std::size_t obsolete = 0;
  for (const Directive& d : directives()) {
    switch (d.support) {
      case Support::Honoured:
        ++honoured;
        break;
      case Support::NotYet:
        ++not_yet;
        break;
      case Support::Obsolete:
        ++obsolete;
        break;
    }
  }
  std::string text = format(
      "# Directives\n\n"
      "The table that the loader reads, printed by `onset-docs`; do not edit. Of {} directives "
      "{} are honoured. {} are known and their values checked, but not honoured yet: each use that "
      "asks for something is named at load time, with file and line. {} no longer mean anything, "
      "in systemd neither. A unit whose section is one that onset can't run yet is loaded and "
      "checked; a job for it ends as `unsupported`.\n",
      directives().size(), honoured, not_yet, obsolete);
  for (const Chapter& chapter : kChapters) text += chapter_text(chapter);
  text += manager_text();
  return text;
}

}  // namespace
}  // namespace onset

int main() {
  const std::string text = onset::document();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                 std::fflush(stdout) == 0
             ? 0
             : 1;
}
