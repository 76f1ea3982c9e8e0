#include "os/comparison.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/vectors.h"

using namespace onset;

namespace {

int sign(int n) {
  return (n > 0) - (n < 0);
}

}  // namespace

TEST_CASE("versions stand as systemd-analyze compare-versions has them", "[os][comparison]") {
  for (const auto& row : test::read_vectors("versions")) {
    REQUIRE(row.size() == 3);
    const int expected = std::stoi(row[2]);
    INFO('"' << row[0] << "\" and \"" << row[1] << '"');
    CHECK(sign(compare_versions(row[0], row[1])) == expected);
    CHECK(sign(compare_versions(row[1], row[0])) == -expected);
  }
}

TEST_CASE("operators are taken off the front, the longest first", "[os][comparison]") {
  struct Row {
    std::string_view text;
    Operator op;
    std::string_view rest;
  };
  for (const Row& row :
       {Row{">=5", Operator::GreaterOrEqual, "5"}, Row{">5", Operator::Greater, "5"},
        Row{"<=5", Operator::LessOrEqual, "5"}, Row{"<>5", Operator::Unequal, "5"},
        Row{"<5", Operator::Less, "5"}, Row{"==5", Operator::Equal, "5"},
        Row{"=5", Operator::TextEqual, "5"}, Row{"!=5", Operator::TextUnequal, "5"},
        Row{"$=5", Operator::GlobMatch, "5"}, Row{"!$=5", Operator::GlobMismatch, "5"},
        Row{"5", Operator::GlobMatch, "5"}}) {
    std::string_view text = row.text;
    INFO(row.text);
    CHECK(take_operator(text, Operator::GlobMatch) == row.op);
    CHECK(text == row.rest);
  }
}

TEST_CASE("numbers and texts hold as their operator says", "[os][comparison]") {
  CHECK(number_holds(Operator::TextEqual, 4, 4));
  CHECK(number_holds(Operator::GreaterOrEqual, 5, 4));
  CHECK_FALSE(number_holds(Operator::Less, 5, 4));
  CHECK(number_holds(Operator::TextUnequal, 5, 4));
  CHECK(version_holds(Operator::GlobMatch, "6.1.0-18", "6.1.*"));
  CHECK(version_holds(Operator::GlobMismatch, "6.1.0-18", "5.*"));
  CHECK(version_holds(Operator::Equal, "1.0", "01.0"));
  CHECK_FALSE(version_holds(Operator::TextEqual, "1.0", "01.0"));
}
