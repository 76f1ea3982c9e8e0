// Lines are cut, joined and checked here, by systemd's rules; inih then parts
// each logical line into key and value. It is fed through its stream interface
// one line at a time, so that while its handler runs, the line's number and
// section are at hand. What inih reads otherwise than systemd never reaches it:
// comments, broken headers, lines without "=", keys with ":" in them.
#include "unit/reader.h"

#include <ini.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/text.h"

namespace onset {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class UnitTextReader {
 public:
  UnitTextReader(std::string_view text, std::string_view file) : rest_(text), file_(file) {}

  ReadResult read() {
    // inih's options are globals; nobody else uses it, and there is one thread.
    // A logical line is never longer than the text that it was joined from.
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_allow_bom = false;
    ini_allow_no_value = false;
    ini_stop_on_first_error = false;
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_max_line = static_cast<int>(std::min(rest_.size(), kLineMax)) + 4;
    ini_initial_alloc = ini_max_line;
    if (rest_.starts_with(kByteOrderMark)) {
      warn(1, "begins with a byte order mark, which is left out");
      rest_.remove_prefix(kByteOrderMark.size());
    }
    const int status = ini_parse_stream(&UnitTextReader::feed, this, &UnitTextReader::take, this);
    if (out_of_memory_ || status == -2) throw_out_of_memory();  // nothing is wrong with the file
    return std::move(result_);
  }

 private:
  // inih is C: no exception may pass through it.

  /// ini_reader: one logical line a call, none at the end.
  static char* feed(char* buffer, int size, void* stream) {
    auto& self = *static_cast<UnitTextReader*>(stream);
    try {
      while (!self.stopped_ && self.next_logical_line()) {
        const std::string_view line = trim(self.logical_);
        if (!self.is_assignment(line)) continue;
        if (line.size() + 2 > static_cast<std::size_t>(size)) continue;  // can't be: see read()
        std::memcpy(buffer, line.data(), line.size());
        std::memcpy(buffer + line.size(), "\n", 2);
        return buffer;
      }
    } catch (const std::bad_alloc&) {
      self.out_of_memory_ = true;
    }
    return nullptr;
  }

  /// ini_handler.
  static int take(void* user, const char*, const char* key, const char* value) {
    auto& self = *static_cast<UnitTextReader*>(user);
    try {
      self.result_.assignments.push_back(
          {self.section_, key, std::string(self.with_its_blanks(value)), self.first_line_});
    } catch (const std::bad_alloc&) {
      self.out_of_memory_ = true;
      self.stopped_ = true;
    }
    return 1;
  }

  /// What stands behind the "=" of the line at hand. inih's idea of space is isspace()'s: it takes
  /// a vertical tab and a form feed off, which are none in a unit file.
  [[nodiscard]] std::string_view with_its_blanks(std::string_view value) const {
    const std::string_view line = logical_;
    const std::string_view own = trim(line.substr(std::min(line.find('='), line.size() - 1) + 1));
    return own.find(value) == std::string_view::npos ? value : own;
  }

  /// False at the end, and after an error. A line ends in LF, CR LF or CR.
  bool next_physical_line(std::string_view& line) {
    if (rest_.empty()) return false;
    ++line_;
    const std::size_t newline = std::min(rest_.find('\n'), rest_.size());
    const std::size_t end = std::min(rest_.substr(0, newline).find('\r'), newline);
    line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (rest_.starts_with('\r')) {
      if (!carriage_return_seen_)
        warn(line_, "ends in a carriage return, read as the end of a line");
      carriage_return_seen_ = true;
      rest_.remove_prefix(1);
      if (rest_.starts_with('\n')) rest_.remove_prefix(1);
    } else if (!rest_.empty()) {
      rest_.remove_prefix(1);
    }
    if (line.size() > kLineMax) return refuse(line_, format("longer than {} bytes", kLineMax));
    if (line.find('\0') != std::string_view::npos)
      return refuse(line_, "a NUL byte in a text file");
    return true;
  }

  /// Joins physical lines into logical_, and leaves comments out, even between
  /// the lines that are joined.
  bool next_logical_line() {
    logical_.clear();
    bool continues = false;
    std::string_view line;
    while (next_physical_line(line)) {
      const std::string_view text = trim(line);
      if (text.starts_with('#') || text.starts_with(';')) continue;
      if (!continues) first_line_ = line_;
      if (logical_.size() + line.size() > kLineMax)
        return refuse(first_line_, format("longer than {} bytes with its continuations", kLineMax));
      logical_ += line;
      // The last of an odd number of backslashes becomes a space.
      const std::size_t last = line.find_last_not_of('\\');
      const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
      if (backslashes % 2 == 0) return true;
      logical_.back() = ' ';
      continues = true;
    }
    return continues && !stopped_;
  }

  /// True for what inih shall take apart; a header changes the section, what
  /// else there is to say goes to the diagnostics.
  bool is_assignment(std::string_view line) {
    if (line.empty()) return false;
    if (!is_valid_utf8(line)) return refuse(first_line_, "not valid UTF-8");
    if (line.front() == '[') {
      header(line);
      return false;
    }
    if (skipping_) return false;
    if (section_.empty()) {
      warn(first_line_, "an assignment outside of any section, left out");
      return false;
    }
    const std::size_t equals = line.find('=');
    const std::string_view key = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) {
      warn(first_line_, format("expected KEY=VALUE, not \"{}\"", c_escape(line)));
      return false;
    }
    if (key.find(':') != std::string_view::npos) {
      // inih would part the line there; no setting has such a name.
      warn(first_line_,
           format("unknown key \"{}\" in section [{}], left out", c_escape(key), section_));
      return false;
    }
    return true;
  }

  void header(std::string_view line) {
    const auto bad = [](char c) { return is_control(c) || c == '"' || c == '\'' || c == '\\'; };
    const std::string_view name =
        line.size() < 2 ? std::string_view{} : line.substr(1, line.size() - 2);
    if (line.back() != ']' || line.size() < 2 || std::any_of(name.begin(), name.end(), bad)) {
      refuse(first_line_, format("expected [SECTION], not \"{}\"", c_escape(line)));
      return;
    }
    // "[]" is a section too, one that nobody knows.
    skipping_ = name.empty() || name.starts_with("X-");
    section_ = name;
    if (name.empty())
      warn(first_line_, "a section without a name, left out");
    else if (!skipping_)
      result_.sections.push_back({section_, first_line_});
  }

  void warn(unsigned line, std::string message) {
    result_.diagnostics.push_back(
        {Severity::Warning, std::string(file_), line, std::move(message)});
  }

  /// Nothing after it is read. Always false.
  bool refuse(unsigned line, std::string message) {
    result_.diagnostics.push_back({Severity::Error, std::string(file_), line, std::move(message)});
    stopped_ = true;
    return false;
  }

  std::string_view rest_;
  std::string_view file_;
  ReadResult result_;
  std::string logical_;
  std::string section_;
  unsigned line_ = 0;        ///< the physical line read last
  unsigned first_line_ = 0;  ///< the first of the logical line at hand
  bool skipping_ = false;    ///< in a section that is none of our concern
  bool carriage_return_seen_ = false;
  bool stopped_ = false;
  bool out_of_memory_ = false;
};

}  // namespace

ReadResult read_unit_text(std::string_view text, std::string_view file_name) {
  return UnitTextReader(text, file_name).read();
}

}  // namespace onset
