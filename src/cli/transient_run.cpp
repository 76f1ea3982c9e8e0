#include "cli/transient_run.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/manager_link.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "cli/transient_call.h"
#include "control/json_object.h"
#include "unit/words.h"

namespace onset {
namespace {

using json = Json;

class TransientRun {
 public:
  TransientRun(CliContext& context, TransientCall call)
      : context_(context),
        call_(std::move(call)),
        manager_(call_.user ? context.user_manager : context.system_manager) {}

  int run() {
    if (const std::string wrong = complete(); !wrong.empty()) return fail(wrong);
    const auto text = transient_text(call_, {name_, context_.own_pid, context_.host});
    if (!text) return fail(text.error());
    json parameters = json_object({{"unit", name_}, {"text", *text}});
    if (call_.scope) parameters["pids"] = json::array({context_.own_pid});
    const bool until_end = call_.wait || call_.pipe;
    if (!call_.no_block) parameters["wait"] = true;
    if (until_end) parameters["until_end"] = true;
    if (auto asked = manager_.start("StartTransient", parameters); !asked) {
      return fail(asked.error());
    }
    const int status = await(until_end);
    return call_.scope && status == 0 ? become() : status;
  }

 private:
  int fail(std::string_view line) {
    context_.err.write(format("{}\n", line));
    return 1;
  }
  int fail(const CallProblem& problem) {
    return fail(format("Failed to start transient {} unit: {}", call_.scope ? "scope" : "service",
                       problem.message));
  }
  void say(std::string_view line) {
    if (!call_.quiet) context_.err.write(format("{}\n", line));
  }

  /// What the words leave open: names, paths, values of the caller's environment.
  std::string complete() {
    const std::string_view suffix = call_.scope ? ".scope" : ".service";
    if (call_.unit.empty()) {
      name_ = format("run-r{}{}", random_id(), suffix);
    } else {
      const auto mangled = mangle(call_.unit, suffix);
      if (!mangled || !mangled->ends_with(suffix)) {
        return format("Failed to mangle unit name: '{}'", printable(call_.unit));
      }
      name_ = *mangled;
    }
    if (call_.same_directory) call_.working_directory = context_.working_directory;
    for (std::string& variable : call_.environment) {
      if (variable.find('=') != std::string::npos) continue;
      variable = format("{}={}", variable, context_.variable(variable));
    }
    if (call_.scope) return {};
    const auto path = find_program(call_.command.front());
    if (!path) {
      return format("Failed to find executable {}: No such file or directory",
                    printable(call_.command.front()));
    }
    call_.command.front() = *path;
    return {};
  }

  std::string random_id() {
    const auto text = context_.files.read("/proc/sys/kernel/random/uuid", 64);
    std::string id;
    for (const char c : text ? std::string_view(*text) : std::string_view()) {
      if (is_alpha(c) || is_digit(c)) id += c;
    }
    return id.empty() ? format("{}-{}", context_.own_pid, context_.now.wall.us) : id;
  }

  std::optional<std::string> find_program(const std::string& word) {
    if (word.empty()) return std::nullopt;
    if (word.front() == '/') return word;
    if (word.find('/') != std::string::npos) {
      return format("{}/{}", context_.working_directory, word);
    }
    for (const std::string_view folder : split(context_.variable("PATH"), ':')) {
      if (folder.empty() || folder.front() != '/') continue;
      std::string path = format("{}/{}", folder, word);
      const auto status = context_.files.stat(path);
      if (status && status->kind == FileKind::Regular && status->executable) return path;
    }
    return std::nullopt;
  }

  /// The replies until the job has ended, or the unit.
  int await(bool until_end) {
    json reply;
    bool is_told = false;
    for (;;) {
      auto more = manager_.next(reply, kInfinity);
      if (!more) return fail(more.error());
      const json& job = reply["job"];
      const std::string result = text_of(job, "result");
      if (!result.empty() && result != "done") {
        const std::string message = text_of(job, "message");
        return fail(format("Job for {} failed: {}{}", name_, result,
                           message.empty() ? "" : format(" ({})", message)));
      }
      if (!is_told && (call_.no_block || !result.empty())) {
        say(format("Running {}as unit: {}", call_.scope ? "scope " : "", name_));
        is_told = true;
      }
      if (!*more) break;
    }
    return until_end ? report(reply["ended"]) : 0;
  }

  /// Of the ended unit, as systemd-run has it; the exit status.
  int report(const json& unit) {
    const std::string result = text_of(unit, "result");
    const json& main = object_of(unit, "main");
    const std::string code = text_of(main, "code");
    const auto status = number_of(main, "status");
    if (call_.wait) {
      say(format("Finished with result: {}", result));
      if (!code.empty()) {
        say(format("Main processes terminated with: code={}/status={}", code, status.value_or(0)));
      }
      if (const auto cpu = number_of(unit, "cpu_nsec")) {
        say(format("CPU time consumed: {}", format_lasting(*cpu / 1000)));
      }
      if (const auto peak = number_of(unit, "memory_peak")) {
        say(format("Memory peak: {}", format_bytes(static_cast<std::uint64_t>(*peak))));
      }
    }
    if (result == "success") return 0;
    if (result == "exit-code" && status && *status > 0) return static_cast<int>(*status);
    return result == "signal" ? 255 : 1;
  }

  /// The scope runs: the command takes this process's place.
  int become() {
    ProgramRunner::Successor successor{call_.command, call_.environment, call_.uid,
                                       call_.gid,     call_.nice,        call_.working_directory};
    if (context_.programs == nullptr) return fail("No program can be run here.");
    return fail(context_.programs->become(successor));
  }

  CliContext& context_;
  TransientCall call_;
  ManagerLink manager_;
  std::string name_;
};

}  // namespace

int run_transient(CliContext& context, std::span<const std::string> arguments) {
  auto call = parse_transient(arguments);
  if (!call) {
    context.err.write(format("{}\n", call.error()));
    return 1;
  }
  if (call->help) {
    context.out.write(transient_help());
    return 0;
  }
  if (call->version) {
    context.out.write(version_text());
    return 0;
  }
  return TransientRun(context, std::move(*call)).run();
}

}  // namespace onset
