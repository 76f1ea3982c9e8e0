#pragma once
// Texts near the border of what is valid: each is drawn from the grammar of what it is named
// after, with a part of it left out, doubled or another one now and then.

#include <rapidcheck.h>

#include <string>
#include <vector>

namespace onset::test {

using TextGen = rc::Gen<std::string>;

/// One of them; shrinks to the first.
TextGen word_of(std::vector<std::string> words);
/// At most `most` texts, one after another.
TextGen several(TextGen text, int least, int most, std::string between = "");

/// Digits: few, or a number at the border of 8, 16, 31, 32, 63 or 64 bits, give or take one.
TextGen digits();
/// With a sign, a prefix or a space that some readers take.
TextGen number_text();
TextGen span_text();
TextGen size_text();
TextGen share_text();
/// For Limit…=, one of these or two.
TextGen limit_text();
TextGen signal_text();
TextGen status_set_text();
TextGen capability_set_text();
TextGen mode_text();
TextGen bool_text();

/// Any bytes but NUL; those that quoting and escaping are about come often.
TextGen any_text();
/// The same as UTF-8 in one line, neither beginning nor ending in a blank.
TextGen line_text();
/// Words, quotes, escapes, specifiers and variables.
TextGen command_text();
TextGen assignments_text();
/// Names with quotes and escapes in and around them.
TextGen words_text();

TextGen path_text();
/// Valid unit names, mostly.
TextGen unit_name_text();
/// A valid name, with an instance or without.
TextGen valid_unit_name();
/// What systemd-escape made, or nearly.
TextGen escaped_text();

}  // namespace onset::test
