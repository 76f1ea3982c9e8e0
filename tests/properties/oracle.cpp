#include "properties/oracle.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace onset::test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kSomebody = 1000;

struct Answer {
  int status = 0;
  std::string out;
  std::string err;
};

std::string root() {
  const char* named = std::getenv("SYSTEMD_ROOT");
  return named != nullptr && *named != '\0' ? named : "/";
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder that goes with its content; everybody may enter it.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/onset-properties-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
    fs::permissions(path_, fs::perms(0755));
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// A systemd that other users can execute: below /root they can't, so it is copied.
class Tools {
 public:
  static const Tools& get() {
    static const Tools tools;
    return tools;
  }
  [[nodiscard]] std::string find(const std::string& name) const {
    for (const char* folder : {"usr/bin", "bin", "lib/systemd", "usr/lib/systemd"}) {
      const fs::path path = fs::path(root_) / folder / name;
      if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
  }
  [[nodiscard]] std::string libraries() const {
    return root_ + "/lib/systemd:" + root_ + "/usr/lib/x86_64-linux-gnu/systemd";
  }

 private:
  Tools() : root_(root()) {
    if (!fs::exists(root_)) return;
    if (all_may_enter(root_) || !fs::exists(root_ + "/lib/systemd/systemd")) return;
    const fs::path copy = folder_ / "tools";
    const auto all = fs::copy_options::recursive;
    for (const char* part : {"usr/bin/systemd-analyze", "bin/systemd-escape", "lib/systemd/systemd",
                             "usr/lib/x86_64-linux-gnu/systemd"}) {
      fs::create_directories((copy / part).parent_path());
      if (fs::exists(fs::path(root_) / part)) fs::copy(fs::path(root_) / part, copy / part, all);
    }
    root_ = copy;
  }
  static bool all_may_enter(fs::path path) {
    for (path = fs::canonical(path); path != path.root_path(); path = path.parent_path())
      if ((fs::status(path).permissions() & fs::perms::others_exec) == fs::perms::none)
        return false;
    return true;
  }

  Folder folder_;
  std::string root_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

Answer run(std::vector<std::string> command, std::vector<std::string> environment = {},
           bool as_somebody = false) {
  const Folder folder;
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  environment.insert(environment.end(), {"LD_LIBRARY_PATH=" + Tools::get().libraries(),
                                         "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"});
  const auto argv = pointers(command);
  const auto envp = pointers(environment);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    const int stdout_file = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int stderr_file = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(nothing, 0);
    ::dup2(stdout_file, 1);
    ::dup2(stderr_file, 2);
    if (as_somebody && ::geteuid() == 0 &&
        (::setresgid(kSomebody, kSomebody, kSomebody) != 0 ||
         ::setresuid(kSomebody, kSomebody, kSomebody) != 0))
      ::_exit(98);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) < 98);
  return {WEXITSTATUS(status), content(out), content(err)};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

/// Has the tool answer all texts. It ends at the first that it does not take: it is asked again
/// for those behind it. `take` gets what it said of as many as it took.
template <class Take>
void ask_all(const std::vector<std::string>& command, const std::vector<std::string>& texts,
             const Take& take) {
  for (std::size_t at = 0; at < texts.size();) {
    std::vector<std::string> line = command;
    line.emplace_back("--");
    line.insert(line.end(), texts.begin() + static_cast<std::ptrdiff_t>(at), texts.end());
    const Answer answer = run(line);
    at += take(answer.out, at);
    REQUIRE((at == texts.size()) == (answer.status == 0));
    ++at;
  }
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/// Undoes the quoting of a dumped command line (not with the code that is tested).
std::vector<std::string> dumped_words(std::string_view line) {
  std::vector<std::string> words;
  const auto take_char = [&line] {
    constexpr std::string_view kLetters = "abfnrtv";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v";
    char c = line.front();
    line.remove_prefix(1);
    if (c != '\\' || line.empty()) return c;
    if (line.size() >= 3 && is_octal(line[0]) && is_octal(line[1]) && is_octal(line[2])) {
      c = static_cast<char>((line[0] - '0') * 64 + (line[1] - '0') * 8 + (line[2] - '0'));
      line.remove_prefix(3);
      return c;
    }
    c = line.front();
    line.remove_prefix(1);
    const std::size_t letter = kLetters.find(c);
    return letter == std::string_view::npos ? c : kMeanings[letter];
  };
  while (!line.empty()) {
    std::string word;
    if (line.front() == '"') {
      line.remove_prefix(1);
      while (!line.empty() && line.front() != '"') word += take_char();
      line.remove_prefix(std::min<std::size_t>(1, line.size()));
    } else {
      while (!line.empty() && line.front() != ' ') {
        word += line.front();
        line.remove_prefix(1);
      }
    }
    words.push_back(std::move(word));
    if (!line.empty()) line.remove_prefix(1);
  }
  return words;
}

/// "TABS key: value" lines of the dump, and command lines.
std::map<std::string, OracleUnit> read_dump(const std::string& text) {
  constexpr std::string_view kUnit = "-> Unit ";
  constexpr std::string_view kCommand = "Command Line: ";
  std::map<std::string, OracleUnit> units;
  OracleUnit* unit = nullptr;
  bool is_pre = false;
  for (const std::string& whole : lines_of(text)) {
    std::string_view line = whole;
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line.starts_with(kUnit)) {
      unit = &units[std::string(line.substr(kUnit.size(), line.size() - kUnit.size() - 1))];
    } else if (unit == nullptr) {
      continue;
    } else if (line.starts_with("-> ")) {
      is_pre = line == "-> ExecStartPre:";
    } else if (line.starts_with(kCommand)) {
      if (is_pre) unit->commands.push_back(dumped_words(line.substr(kCommand.size())));
    } else if (const std::size_t colon = line.find(": "); colon != std::string_view::npos) {
      const std::string key(line.substr(0, colon));
      const std::string value(line.substr(colon + 2));
      if (key == "Unit Load State") unit->load_state = value;
      unit->properties.emplace(key, value);
    }
  }
  return units;
}

}  // namespace

bool has_oracle() {
  for (const char* name : {"systemd-analyze", "systemd-escape", "systemd"})
    if (Tools::get().find(name).empty()) return false;
  return true;
}

void note_skip(std::string_view why) {
  WARN("skipped: " << why);
  const char* fd = std::getenv("ONSET_RESULT_FD");
  if (fd == nullptr) return;
  const std::string line =
      "skipped\t" + Catch::getResultCapture().getCurrentTestName() + "\t" + std::string(why) + "\n";
  if (::write(std::atoi(fd), line.data(), line.size()) < 0) WARN("the skip was not noted");
}

std::vector<OracleSpan> spans_by_systemd(const std::vector<std::string>& texts) {
  std::vector<OracleSpan> spans(texts.size(), {std::string(kNotTaken), ""});
  const auto take = [&spans](const std::string& out, std::size_t at) {
    std::size_t taken = 0;
    for (const std::string& line : lines_of(out)) {
      const std::string_view text = trim(line);
      const std::size_t colon = text.find(": ");
      if (text.starts_with("μs: ") || text.starts_with("us: "))
        spans[at + taken].microseconds = text.substr(colon + 2);
      if (text.starts_with("Human: ")) spans[at + taken++].printed = text.substr(colon + 2);
    }
    return taken;
  };
  ask_all({Tools::get().find("systemd-analyze"), "timespan"}, texts, take);
  return spans;
}

std::vector<std::string> escaped_by_systemd(const std::vector<std::string>& options,
                                            const std::vector<std::string>& texts) {
  // Answers are parted by blanks, which they may have: a known one goes between them.
  const bool is_path = std::find(options.begin(), options.end(), "--path") != options.end();
  const bool is_back = std::find(options.begin(), options.end(), "--unescape") != options.end();
  const std::string mark = is_path && !is_back ? "/zzzzz" : "zzzzz";
  std::vector<std::string> command{Tools::get().find("systemd-escape")};
  command.insert(command.end(), options.begin(), options.end());
  std::string marked;
  ask_all(command, {mark}, [&marked](const std::string& out, std::size_t) {
    marked = " " + std::string(trim(out));
    return std::size_t{1};
  });
  std::vector<std::string> questions;
  for (const std::string& text : texts) questions.insert(questions.end(), {text, mark});
  std::vector<std::string> answers(texts.size(), std::string(kNotTaken));
  ask_all(command, questions, [&](const std::string& out, std::size_t at) -> std::size_t {
    std::string_view rest = out;
    const std::size_t begin = at;
    if (at % 2 == 1) {  // the mark behind a text that was not taken, and the blank behind that
      rest.remove_prefix(std::min(marked.size(), rest.size()));
      ++at;
    }
    for (; rest.find(marked) != std::string_view::npos; at += 2) {
      answers[at / 2] = rest.substr(0, rest.find(marked));
      rest.remove_prefix(answers[at / 2].size() + marked.size());
      if (rest.starts_with(' ')) rest.remove_prefix(1);
    }
    return at - begin;
  });
  return answers;
}

std::string OracleUnit::value(const std::string& property) const {
  const auto [begin, end] = properties.equal_range(property);
  if (begin == end) return "-";
  std::string text;
  for (auto line = begin; line != end; ++line) text += (line == begin ? "" : " ") + line->second;
  return text;
}

std::map<std::string, OracleUnit> loaded_by_systemd(
    const std::map<std::string, std::string>& files) {
  const Folder folder;
  std::string wants = "[Unit]\n";
  const auto write = [&folder](const std::string& name, const std::string& text) {
    std::ofstream(folder / "units" / name, std::ios::binary) << text;
  };
  for (const char* name : {"units", "home", "run"}) {
    fs::create_directory(folder / name);
    if (::geteuid() == 0) REQUIRE(::chown((folder / name).c_str(), kSomebody, kSomebody) == 0);
  }
  for (const auto& [name, text] : files) {
    write(name, text);
    wants += "Wants=" + name + "\n";
  }
  write("all.target", wants);
  const std::string units = folder / "units";
  const Answer answer =
      run({Tools::get().find("systemd"), "--test", "--user", "--unit=all.target",
           "--log-target=console"},
          {"HOME=" + std::string(folder / "home"), "XDG_RUNTIME_DIR=" + std::string(folder / "run"),
           "SYSTEMD_UNIT_PATH=" + units},
          true);
  auto loaded = read_dump(answer.out);
  for (const std::string& line : lines_of(answer.err)) {
    if (!line.starts_with(units + "/")) continue;
    const std::string about = line.substr(units.size() + 1);
    loaded[about.substr(0, about.find(':'))].said.push_back(about);
  }
  return loaded;
}

}  // namespace onset::test
