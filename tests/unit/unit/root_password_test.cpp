#include "unit/root_password.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("root gets a shell without a password only where none is set", "[unit][boot]") {
  struct Row {
    std::string_view passwd;
    std::string_view shadow;
    bool lets_in;
  };
  const Row rows[] = {
      {"", "", true},
      {"root::0:0:root:/root:/bin/sh\n", "", true},
      {"root:x:0:0:root:/root:/bin/sh\n", "root::19000:0:99999:7:::\n", true},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:*:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:!:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:$y$abc:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "other::::::::\n", false},
      {"root:*:0:0:root:/root:/bin/sh\n", "root::19000:0:99999:7:::\n", false},
      {"daemon::1:1::/:\n", "", false},
      {"", "root:*:19000:0:99999:7:::\n", false},
      {"xroot::0:0:::\n", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.passwd, row.shadow);
    CHECK(root_has_no_password(row.passwd, row.shadow) == row.lets_in);
  }
}
