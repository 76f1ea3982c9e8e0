#pragma once
// The parts of docs/states.md that tests make and hold to the code: each stands between two marks,
// "<!-- made by MAKER: begin -->" and "…: end -->".

#include <string>
#include <string_view>

namespace onset::test {

/// What is there now; throws where the marks are not.
std::string shown_in_states(std::string_view maker);
void write_into_states(std::string_view maker, std::string_view text);

}  // namespace onset::test
