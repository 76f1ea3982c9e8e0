// Agreement with systemd's own tools on what is drawn at the border of validity: whether a text is
// taken, and what it means.
#include <map>
#include <ostream>

#include "base/format.h"
#include "base/text.h"
#include "properties/oracle.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/name.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::test;

namespace {

/// So many texts that the tool is worth its start. As a counterexample the one that differs is
/// told, not the lot.
struct Batch {
  std::vector<std::string> texts;
};
[[maybe_unused]] void showValue(const Batch& batch, std::ostream& out) {
  out << batch.texts.size() << " texts";
}

Batch draw(TextGen text, std::size_t count) {
  return *rc::gen::noShrink(rc::gen::map(
      rc::gen::container<std::vector<std::string>>(count, std::move(text)),
      [](std::vector<std::string> texts) {
        // No argument of a program has a NUL.
        std::erase_if(texts, [](const std::string& t) { return t.find('\0') != t.npos; });
        return Batch{std::move(texts)};
      }));
}

/// Keeps the shortest of the differences.
class Differences {
 public:
  void compare(const std::string& text, const std::string& onset, const std::string& systemd) {
    if (onset == systemd) return;
    ++count_;
    if (!shortest_.empty() && text.size() >= size_) return;
    size_ = text.size();
    shortest_ = format("\"{}\" is \"{}\" to onset, \"{}\" to systemd", c_escape(text),
                       c_escape(onset), c_escape(systemd));
  }
  void expect_none() const {
    if (count_ > 0) RC_FAIL(format("{} (the shortest of {})", shortest_, count_));
  }

 private:
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  std::string shortest_;
};

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
        const Batch batch = draw(span_text(), 250);
        const auto answers = spans_by_systemd(batch.texts);
        Differences read;
        for (std::size_t i = 0; i < batch.texts.size(); ++i) {
          const auto span = parse_span(batch.texts[i]);
          std::string ours(kNotTaken);
          std::string theirs = answers[i].microseconds;
          // Beyond 63 bits is infinity here, which nobody lives to see.
          if (span) ours = *span == kInfinity ? "infinity" : format("{}", span->count());
          if (const auto us = parse_uint<std::uint64_t>(theirs); us && *us >= INT64_MAX)
            theirs = "infinity";
          read.compare(batch.texts[i], ours, theirs);
          if (span && *span != kInfinity)
            read.compare(batch.texts[i], format_span(*span), answers[i].printed);
        }
        read.expect_none();
      },
      kBatches);
}

TEST_CASE("texts and paths are escaped as systemd-escape does", "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        const Batch texts = draw(any_text(), 200);
        const auto escaped = escaped_by_systemd({}, texts.texts);
        const auto filled = escaped_by_systemd({"--template=foo@.service"}, texts.texts);
        Differences differences;
        for (std::size_t i = 0; i < texts.texts.size(); ++i) {
          differences.compare(texts.texts[i], unit_escape(texts.texts[i]), escaped[i]);
          differences.compare(texts.texts[i],
                              onset_escape(instantiate("foo@.service", unit_escape(texts.texts[i]))),
                              filled[i]);
        }
        const Batch paths = draw(path_text(), 200);
        const auto names = escaped_by_systemd({"--path"}, paths.texts);
        for (std::size_t i = 0; i < paths.texts.size(); ++i)
          differences.compare(paths.texts[i], onset_escape(unit_escape_path(paths.texts[i])),
                              names[i]);
        differences.expect_none();
      },
      kBatches);
}

TEST_CASE("what was escaped is unescaped as systemd-escape does", "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        const Batch batch = draw(escaped_text(), 100);
        const auto texts = escaped_by_systemd({"--unescape"}, batch.texts);
        const auto paths = escaped_by_systemd({"--unescape", "--path"}, batch.texts);
        Differences differences;
        for (std::size_t i = 0; i < batch.texts.size(); ++i) {
          differences.compare(batch.texts[i], onset_escape(unit_unescape(batch.texts[i])), texts[i]);
          differences.compare(batch.texts[i], onset_escape(unit_unescape_path(batch.texts[i])),
                              paths[i]);
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
        const Batch batch = draw(rc::gen::oneOf(unit_name_text(), path_text(), any_text()), 200);
        const auto names = escaped_by_systemd({"--mangle"}, batch.texts);
        Differences differences;
        for (std::size_t i = 0; i < batch.texts.size(); ++i) {
          differences.compare(batch.texts[i], onset_escape(mangle(batch.texts[i])), names[i]);
          // A valid name, and no other, stays as it is.
          differences.compare(batch.texts[i],
                              unit_name_is_valid(batch.texts[i]) ? "a name" : "no name",
                              names[i] == batch.texts[i] ? "a name" : "no name");
        }
        differences.expect_none();
      },
      kBatches);
}
