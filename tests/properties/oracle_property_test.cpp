// Agreement with systemd's own tools on what is drawn at the border of validity: whether a text is
// taken, and what it means.
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "properties/differences.h"
#include "properties/oracle.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/name.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::test;

namespace {

using Texts = std::vector<std::string>;

/// As many as are worth a start of the tool.
Texts draw(const TextGen& text, std::size_t count) {
  Drawer drawer;
  Texts texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(drawer(text));
  return texts;
}

constexpr int kBatches = 3;

std::string onset_escape(const std::optional<std::string>& answer) {
  return answer.value_or(std::string(kNotTaken));
}

}  // namespace

TEST_CASE("spans mean what systemd-analyze timespan says, and are printed as it prints them",
          "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        const Texts batch = draw(span_text(), 250);
        const auto answers = spans_by_systemd(batch);
        Differences read;
        for (std::size_t i = 0; i < batch.size(); ++i) {
          const auto span = parse_span(batch[i]);
          std::string ours(kNotTaken);
          std::string theirs = answers[i].microseconds;
          // Beyond 63 bits is infinity here, which nobody lives to see.
          if (span) ours = *span == kInfinity ? "infinity" : format("{}", span->count());
          if (const auto us = parse_uint<std::uint64_t>(theirs); us && *us >= INT64_MAX)
            theirs = "infinity";
          read.compare(batch[i], ours, theirs);
          if (span && *span != kInfinity)
            read.compare(batch[i], format_span(*span), answers[i].printed);
        }
        read.expect_none();
      },
      kBatches);
}

TEST_CASE("texts and paths are escaped as systemd-escape does", "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        const Texts texts = draw(any_text(), 200);
        const auto escaped = escaped_by_systemd({}, texts);
        const auto filled = escaped_by_systemd({"--template=foo@.service"}, texts);
        Differences differences;
        for (std::size_t i = 0; i < texts.size(); ++i) {
          differences.compare(texts[i], unit_escape(texts[i]), escaped[i]);
          differences.compare(texts[i],
                              onset_escape(instantiate("foo@.service", unit_escape(texts[i]))),
                              filled[i]);
        }
        const Texts paths = draw(path_text(), 200);
        const auto names = escaped_by_systemd({"--path"}, paths);
        for (std::size_t i = 0; i < paths.size(); ++i)
          differences.compare(paths[i], onset_escape(unit_escape_path(paths[i])), names[i]);
        differences.expect_none();
      },
      kBatches);
}

TEST_CASE("what was escaped is unescaped as systemd-escape does", "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        Texts batch = draw(escaped_text(), 100);
        // Of "\\x00" systemd makes the end of the text, onset no text at all (docs/differences.md).
        std::erase_if(batch, [](const auto& t) { return t.find("\\x00") != t.npos; });
        const auto texts = escaped_by_systemd({"--unescape"}, batch);
        const auto paths = escaped_by_systemd({"--unescape", "--path"}, batch);
        Differences differences;
        for (std::size_t i = 0; i < batch.size(); ++i) {
          differences.compare(batch[i], onset_escape(unit_unescape(batch[i])), texts[i]);
          differences.compare(batch[i], onset_escape(unit_unescape_path(batch[i])), paths[i]);
        }
        differences.expect_none();
      },
      kBatches);
}

TEST_CASE("names are mangled as systemd-escape does, and valid for both or neither",
          "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        Texts batch = draw(rc::gen::oneOf(unit_name_text(), path_text(), any_text()), 200);
        // A long path has the name of a hash (docs/differences.md).
        std::erase_if(batch, [](const auto& t) {
          return t.starts_with('/') && unit_escape(t).size() > kUnitNameMax - 20;
        });
        const auto names = escaped_by_systemd({"--mangle"}, batch);
        Differences differences;
        for (std::size_t i = 0; i < batch.size(); ++i) {
          differences.compare(batch[i], onset_escape(mangle(batch[i])), names[i]);
          // A valid name, and no other, stays as it is.
          differences.compare(batch[i], unit_name_is_valid(batch[i]) ? "a name" : "no name",
                              names[i] == batch[i] ? "a name" : "no name");
        }
        differences.expect_none();
      },
      kBatches);
}
