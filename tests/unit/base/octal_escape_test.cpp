#include "base/octal_escape.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("three octal digits are a byte, any other backslash stays", "[base]") {
  CHECK(unescape_octal("a\\040b\\011\\134") == "a b\t\\");
  CHECK(unescape_octal("\\303\\244") == "\303\244");
  CHECK(unescape_octal("\\000\\777\\08x\\04") == "\\000\\777\\08x\\04");
  CHECK(unescape_octal("\\134040\\") == "\\040\\");
  CHECK(unescape_octal("").empty());
}
