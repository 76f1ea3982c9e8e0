// Every row of the one table of directives that has a printer: what it prints is read again as
// the same. No row has a line here: what a row expects is learnt from its own refusals, and a row
// that takes nothing of what is drawn for it fails.
#include <optional>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "properties/print.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/directives.h"

using namespace onset;
using namespace onset::test;

namespace {

constexpr int kRunsOfRow = 100;

HostFacts host() {
  HostFacts host;
  host.hostname = "box";
  host.machine_id = "0123456789abcdef0123456789abcdef";
  host.boot_id = "fedcba9876543210fedcba9876543210";
  return host;
}

/// A unit and what is said while it is read.
struct Reading {
  Unit unit;
  Diagnostics diagnostics;

  Reading() { unit.id = "a@b.service"; }
  /// False if the value was refused, or any of it left out.
  bool take(const Directive& directive, std::string_view value) {
    static const HostFacts facts = host();
    const SpecifierScope scope{unit.id, "/etc/systemd/system/a@.service", facts};
    ParseContext context{unit, scope, "a@b.service", 1, directive.name, diagnostics};
    if (!directive.parse(context, value).empty()) return false;
    return std::none_of(diagnostics.begin(), diagnostics.end(),
                        [](const Diagnostic& d) { return d.severity != Severity::Note; });
  }
};

/// Words of what the row says when it refuses nonsense: "one of simple, exec, …".
std::vector<std::string> expected_words(const Directive& directive) {
  static const HostFacts facts = host();
  std::set<std::string> words = {""};
  for (const char* nonsense : {"\x01", "?", "-", "a?"}) {
    Reading reading;
    const SpecifierScope scope{reading.unit.id, "", facts};
    ParseContext context{reading.unit, scope, "a", 1, directive.name, reading.diagnostics};
    std::string said = directive.parse(context, nonsense);
    for (const Diagnostic& d : reading.diagnostics) said += " " + d.message;
    for (const std::string_view part : split_whitespace(said)) {
      const std::size_t end = part.find_last_not_of(".,;\"");
      const std::size_t begin = std::min(part.find_first_not_of("\""), part.size());
      if (end != std::string_view::npos && begin <= end)
        words.emplace(part.substr(begin, end + 1 - begin));
    }
  }
  return {words.begin(), words.end()};
}

rc::Gen<std::string> value_for(const Directive& directive) {
  const auto names = several(valid_unit_name(), 1, 3, " ");
  // "the name of a slice": names of what it speaks of.
  const auto named = rc::gen::map(
      rc::gen::pair(word_of({"a", "a-b", "a@b", "a\\x2db"}), word_of(expected_words(directive))),
      [](const auto& parts) { return parts.first + "." + parts.second; });
  const auto absolute = rc::gen::map(path_text(), [](const std::string& path) {
    return doubled_percent(path.starts_with('/') ? path : "/" + path);
  });
  const auto stream =
      rc::gen::map(rc::gen::pair(word_of({"file:", "append:", "truncate:", "fd:"}), absolute),
                   [](const auto& parts) { return parts.first + parts.second; });
  const auto quoted = rc::gen::map(any_text(), [](const std::string& text) {
    return is_valid_utf8(text) && text.find_first_of("\n\r\"\\") == std::string::npos
               ? "\"" + doubled_percent(text) + "\""
               : std::string("x");
  });
  const auto uri = rc::gen::map(
      rc::gen::pair(word_of({"man:", "https://", "file:/"}), word_of({"a(8)", "x y", "'", "\""})),
      [](const auto& parts) { return "'" + parts.first + parts.second + "'"; });
  const auto marked = rc::gen::map(rc::gen::pair(word_of({"", "-", "!", "|", "|!", "+"}), absolute),
                                   [](const auto& parts) { return parts.first + parts.second; });
  const auto device =
      rc::gen::map(rc::gen::pair(word_of({"/dev/a", "/dev/b/c", "char-x", "block-*"}),
                                 word_of({"", " 50", " 5M", " r", " rw", " rwm", " 10ms"})),
                   [](const auto& parts) { return parts.first + parts.second; });
  const auto resource = word_of({"10.0.0.0/8", "::1 any", "tcp:80", "ipv4:udp:1-5", "0-3 5,7", "5%",
                                 "250.25%", "cpu io", "20", "500"});
  const auto value = rc::gen::oneOf(
      device, resource, word_of(expected_words(directive)), bool_text(), number_text(), span_text(),
      size_text(), limit_text(), share_text(), signal_text(), status_set_text(),
      capability_set_text(), mode_text(), line_text(), several(quoted, 1, 3, " "), command_text(),
      assignments_text(), absolute, several(absolute, 1, 3, " "), marked, names, named, stream,
      several(uri, 1, 2, " "),
      word_of({"A", "A B", "a.b", "org.example.A", "-.slice", "a-b.slice", "a b/c", "a:b", "~",
               "a:b a:c", "\"a b:c\"", "a\\:b:c", "/a:/b", "/a\\\\:/b\\ c"}));
  // As the reader hands them over.
  return rc::gen::map(value, [](std::string text) {
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    text = std::string(trim(text));
    return is_valid_utf8(text) ? text : c_escape(text);
  });
}

/// What show prints in a form of its own (as systemctl does), as a file has it.
std::vector<std::string> file_form(const Directive& directive, const Unit& unit,
                                   const std::string& shown) {
  constexpr std::string_view kOptional = " (ignore_errors=yes)";
  constexpr std::string_view kNeeded = " (ignore_errors=no)";
  std::vector<std::string> values;
  if (shown == "[not set]") return {""};
  // Nanoseconds have no word for it there.
  if (shown == std::to_string(UINT64_MAX)) return {"infinity"};
  if (directive.property == "CPUQuotaPerSecUSec") {  // a percentage there
    const auto& quota = unit.resource->cpu_quota;
    return {quota ? format("{}‱", *quota / 100) : std::string()};
  }
  if (directive.name == "ManagedOOMMemoryPressureLimit") {
    return {format("{}‱", unit.resource->oom_pressure_limit)};
  }
  if (directive.property == "Listen") {  // with its kind behind it there
    for (const std::string_view line : split(shown, '\n'))
      values.push_back(doubled_percent(line.substr(0, line.rfind(" ("))));
    return values;
  }
  if (shown.starts_with("{ path=")) {  // its words run together there
    const auto& lists = unit.socket ? unit.socket->exec : unit.service->exec;
    for (const auto& list : lists) {
      for (const ExecCommand& command : list) values.push_back(printed_command(command));
    }
    return values;
  }
  if (!shown.ends_with(kOptional) && !shown.ends_with(kNeeded)) return {doubled_percent(shown)};
  for (const std::string_view line : split(shown, '\n')) {
    const bool optional = line.ends_with(kOptional);
    const std::size_t size = line.size() - (optional ? kOptional : kNeeded).size();
    values.push_back((optional ? "-" : "") + doubled_percent(line.substr(0, size)));
  }
  return values;
}

}  // namespace

TEST_CASE("of every directive, what show prints is read again as the same",
          "[properties][directives]") {
  unsigned rows = 0;
  for (const Directive& directive : directives()) {
    if (directive.show == nullptr) continue;
    ++rows;
    const auto values = value_for(directive);
    INFO(to_string(directive.section) << "." << directive.name);
    holds(
        [&] {
          const std::string value = *values;
          Reading first;
          RC_PRE(first.take(directive, value));
          const std::string shown = directive.show(first.unit);
          Reading second;
          for (std::string printed : file_form(directive, first.unit, shown)) {
            // Where "-" lets it be missing, show has "!".
            if (printed.starts_with('!') && !Reading().take(directive, printed)) printed[0] = '-';
            RC_LOG() << value << " is shown as " << shown << ", written as " << printed << "\n";
            const bool taken = second.take(directive, printed);
            for (const Diagnostic& d : second.diagnostics) RC_LOG() << d.message << "\n";
            RC_ASSERT(taken);
          }
          RC_ASSERT(directive.show(second.unit) == shown);
        },
        kRunsOfRow);
  }
  CHECK(rows > 150);
}

TEST_CASE("of every directive, a value that is refused leaves the setting as it was",
          "[properties][directives]") {
  for (const Directive& directive : directives()) {
    if (directive.show == nullptr || directive.protects) continue;  // those refuse the unit
    const auto values = value_for(directive);
    INFO(to_string(directive.section) << "." << directive.name);
    holds(
        [&] {
          Reading reading;
          const std::string before = *values;
          reading.take(directive, before);
          const std::string shown = directive.show(reading.unit);
          Reading other;
          const std::string value = *values;
          Diagnostics said;
          static const HostFacts facts = host();
          const SpecifierScope scope{reading.unit.id, "", facts};
          ParseContext context{reading.unit, scope, "a", 1, directive.name, said};
          if (directive.parse(context, value).empty()) return;
          RC_ASSERT(directive.show(reading.unit) == shown);
        },
        kRunsOfRow);
  }
}

TEST_CASE("of every directive, a value is judged the same way again", "[properties][directives]") {
  for (const Directive& directive : directives()) {
    if (directive.parse == nullptr) continue;
    const auto values = value_for(directive);
    INFO(to_string(directive.section) << "." << directive.name);
    holds(
        [&] {
          const std::string value = *values;
          Reading first;
          Reading second;
          RC_ASSERT(first.take(directive, value) == second.take(directive, value));
          RC_ASSERT(first.diagnostics.size() == second.diagnostics.size());
        },
        kRunsOfRow / 4);
  }
}
