// A machine with one character of input a step, as shells see such files:
//
//   BeforeKey → Key → BeforeValue → Value → newline: one assignment
//                         ⇅           ⇅
//                  quotes      backslash
//
// Behind a closing quote the machine is back in BeforeValue, so that 'a'"b" is
// ab and 'a'  b is ab as well. A newline inside quotes belongs to the value.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/environment.h"
#include "unit/values.h"

namespace onset {

namespace {

class FileParser {
 public:
  EnvironmentFileText parse(std::string_view text) {
    for (const char c : text) {
      if (c == '\0') {
        problem("a NUL byte; the rest of the file is left out");
        return std::move(result_);
      }
      step(c);
      if (c == '\n') ++line_;
    }
    if (state_ != State::BeforeKey && state_ != State::Key && state_ != State::Comment &&
        state_ != State::CommentEscape)
      finish();
    else if (state_ == State::Key)
      missing_equals();
    return std::move(result_);
  }

 private:
  enum class State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    ValueEscape,
    SingleQuoted,
    DoubleQuoted,
    DoubleQuotedEscape,
    Comment,
    CommentEscape,
  };

  static bool is_newline(char c) { return c == '\n' || c == '\r'; }

  void step(char c) {
    switch (state_) {
      case State::BeforeKey:
        return before_key(c);
      case State::Key:
        return key(c);
      case State::BeforeValue:
        return before_value(c);
      case State::Value:
        return value(c);
      case State::ValueEscape:
        state_ = State::Value;
        if (!is_newline(c)) value_ += c;
        kept_ = value_.size();
        return;
      case State::SingleQuoted:
        return quoted(c, '\'');
      case State::DoubleQuoted:
        if (c == '\\')
          state_ = State::DoubleQuotedEscape;
        else
          quoted(c, '"');
        return;
      case State::DoubleQuotedEscape:
        state_ = State::DoubleQuoted;
        if (c == '\n') return;
        if (std::string_view("\"\\`$").find(c) == std::string_view::npos) value_ += '\\';
        value_ += c;
        return;
      case State::Comment:
        if (is_newline(c))
          state_ = State::BeforeKey;
        else if (c == '\\')
          state_ = State::CommentEscape;
        return;
      case State::CommentEscape:
        state_ = State::Comment;
        return;
    }
  }

  void before_key(char c) {
    if (c == '#' || c == ';') {
      state_ = State::Comment;
    } else if (!is_space(c)) {
      state_ = State::Key;
      key_ = c;
      value_.clear();
      kept_ = 0;
      first_line_ = line_;
    }
  }

  void key(char c) {
    if (is_newline(c)) {
      missing_equals();
      state_ = State::BeforeKey;
    } else if (c == '=') {
      state_ = State::BeforeValue;
    } else {
      key_ += c;
    }
  }

  void before_value(char c) {
    if (is_newline(c)) {
      finish();
    } else if (c == '\'') {
      state_ = State::SingleQuoted;
    } else if (c == '"') {
      state_ = State::DoubleQuoted;
    } else if (c == '\\') {
      state_ = State::ValueEscape;
    } else if (!is_space(c)) {
      state_ = State::Value;
      value_ += c;
      kept_ = value_.size();
    }
  }

  void value(char c) {
    if (is_newline(c)) {
      value_.resize(kept_);
      finish();
    } else if (c == '\\') {
      state_ = State::ValueEscape;
      kept_ = value_.size();
    } else {
      value_ += c;
      if (!is_space(c)) kept_ = value_.size();
    }
  }

  void quoted(char c, char quote) {
    if (c == quote)
      state_ = State::BeforeValue;
    else
      value_ += c;
  }

  void missing_equals() {
    problem(format("expected NAME=VALUE, not \"{}\"", c_escape(trim(key_))));
  }

  void finish() {
    if (state_ == State::Value) value_.resize(kept_);
    state_ = State::BeforeKey;
    std::string assignment(trim(key_));
    if (!environment_name_is_valid(assignment))
      return problem(format("not a variable's name: \"{}\"", c_escape(assignment)));
    if (!environment_value_is_valid(value_))
      return problem(format("the value of {} is not valid UTF-8", assignment));
    assignment.append("=").append(value_);
    result_.assignments.push_back(std::move(assignment));
  }

  void problem(std::string message) {
    result_.problems.push_back({first_line_, std::move(message)});
  }

  EnvironmentFileText result_;
  State state_ = State::BeforeKey;
  std::string key_;
  std::string value_;
  std::size_t kept_ = 0;  ///< length of value_ without unquoted space at its end
  unsigned line_ = 1;
  unsigned first_line_ = 1;  ///< of the assignment at hand
};

}  // namespace

EnvironmentFileText parse_environment_file(std::string_view text) {
  return FileParser().parse(text);
}

}  // namespace onset
