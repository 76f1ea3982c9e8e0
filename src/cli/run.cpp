// From words to one verb: by what name, with which options, then the table.
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "cli/applets.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/power.h"
#include "cli/transient_run.h"
#include "cli/verbs.h"
#include "cli/wall.h"

namespace onset {

namespace {

std::string program_name(std::span<const std::string> arguments) {
  if (arguments.empty()) return "onset";
  const std::string& path = arguments.front();
  return path.substr(path.rfind('/') + 1);
}

int fail(CliContext& context, std::string_view problem) {
  context.err.write(format("{}\n", problem));
  return 1;
}

/// Of whose table --output= is the format; of others it is that of journal entries.
bool prints_table(std::string_view verb) {
  return verb == "list-units" || verb == "list-unit-files" || verb == "list-jobs";
}

/// By this name only what it has of systemd-analyze(1) is a verb.
bool is_analyze(std::string_view program) {
  return program == "systemd-analyze";
}
bool analyzes(std::string_view verb) {
  return verb == "time" || verb == "blame" || verb == "critical-chain" || verb == "plot" ||
         verb == "verify";
}

/// Options that contradict each other, or the verb; empty: none do.
std::string conflict_of(const Options& options, std::string_view verb) {
  if (options.wait && options.no_block) return "--wait may not be combined with --no-block.";
  if (options.wait && !(verb == "start" || verb == "restart" || verb == "is-system-running")) {
    return "--wait may only be used with the 'start' or 'restart' commands.";
  }
  return {};
}

int run_verb(CliContext& context, const Options& options, std::string_view program,
             const VerbRow& verb, std::vector<std::string> names) {
  ManagerLink manager(options.user ? context.user_manager : context.system_manager);
  Command command{context, options, manager, program, verb.name, std::move(names)};
  if (command.names.size() < verb.min) return command.fail("Too few arguments.");
  if (command.names.size() > verb.max) return command.fail("Too many arguments.");
  if (verb.online_only && is_offline(context)) {
    if (!options.quiet) {
      command.err(format("Running in chroot, ignoring command '{}'", verb.name));
    }
    return 0;
  }
  if (verb.online_only && !options.root.empty()) {
    return command.fail(format("Verb '{}' cannot be used with --root= or --image=.", verb.name));
  }
  if (options.dry_run) {
    if (verb.group != VerbGroup::System || verb.name == "is-system-running") {
      return command.fail(format("--dry-run can't be used with {}.", verb.name));
    }
    command.out(format("Would enter or begin: {}.\n", verb.name));
    return 0;
  }
  return verb.run(command);
}

int run_power(CliContext& context, std::span<const std::string> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  words.front() = program_name(arguments);
  const std::string program = words.front();
  const auto call = parse_power(words, context.now.wall);
  if (!call) return fail(context, format("{}: {}", program, call.error()));
  if (call->help) context.out.write(power_help(program));
  if (call->version) context.out.write(version_text());
  if (call->help || call->version || call->verb.empty()) return 0;
  if (call->wall_only && !call->cancel) {
    send_wall(context, {}, call->message);
    return 0;
  }
  Options options;
  options.force = call->force;
  options.ends_after = call->after;
  options.reboot_argument = call->argument;
  options.no_wall = call->no_wall;
  options.message = call->message;
  if (!call->cancel && !call->show)
    return run_verb(context, options, program, *find_verb(call->verb), {});
  ManagerLink manager(context.system_manager);
  Command command{context, options, manager, program, call->verb, {}};
  return call->cancel ? cancel_shutdown(command) : show_shutdown(command);
}

int run_telinit(CliContext& context, std::span<const std::string> arguments) {
  const std::string program = program_name(arguments);
  auto call = parse_telinit(arguments);
  if (!call) return fail(context, format("{}: {}", program, call.error()));
  if (call->empty()) {
    context.out.write(telinit_help(program));
    return 0;
  }
  const VerbRow& verb = *find_verb(call->front());
  call->erase(call->begin());
  return run_verb(context, {}, program, verb, std::move(*call));
}

}  // namespace

int run_cli(CliContext& context, std::span<const std::string> arguments) {
  const std::string program = program_name(arguments);
  if (is_power_name(program)) return run_power(context, arguments);
  if (is_small_applet(program)) {
    std::vector<std::string> words(arguments.begin(), arguments.end());
    words.front() = program;
    return run_small_applet(context, words);
  }
  if (program == "systemd-run") {
    std::vector<std::string> words(arguments.begin(), arguments.end());
    words.front() = program;
    return run_transient(context, words);
  }
  if (program == "onset" && arguments.size() > 1 && arguments[1] == "run") {
    return run_transient(context, arguments.subspan(1));
  }
  if (is_telinit_name(program)) return run_telinit(context, arguments);
  auto options = parse_options(arguments);
  if (!options) return fail(context, options.error());
  if (options->help) {
    context.out.write(help_text(program));
    return 0;
  }
  if (options->version) {
    context.out.write(version_text());
    return 0;
  }
  if (!options->print.empty()) {
    context.out.write(options->print);
    return 0;
  }
  std::vector<std::string> words = std::move(options->arguments);
  if (program == "runlevel") words = {program};
  options->arguments.clear();
  if (words.empty()) words.emplace_back(is_analyze(program) ? "time" : "list-units");
  const VerbRow* const verb = find_verb(words.front());
  if (verb == nullptr || (is_analyze(program) && !analyzes(verb->name))) {
    return fail(context, format("Unknown command verb {}.", c_escape(words.front())));
  }
  if (const std::string conflict = conflict_of(*options, verb->name); !conflict.empty()) {
    return fail(context, conflict);
  }
  words.erase(words.begin());
  if (prints_table(verb->name) && options->json == JsonStyle::Off) options->json = options->output;
  return run_verb(context, *options, program, *verb, std::move(words));
}

}  // namespace onset
