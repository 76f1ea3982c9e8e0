// Generators, and what follows from them: the units are read at boot, and read again.
//
// At boot nothing is served yet, and their end is waited for. A reload goes on beside everything
// else: whoever asked is answered once the units are read. One that is asked for while another one
// is under way comes after it, for there may be something new to read by then.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/format.h"
#include "init/builtin_generators.h"
#include "init/manager_process.h"
#include "os/launch_environment.h"
#include "os/virtualization.h"

namespace onset {
namespace {

/// With all generators together: systemd's.
constexpr Duration kGeneratorPatience = std::chrono::seconds(90);

std::string variable_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& e : environment) {
    if (e.size() > name.size() && e[name.size()] == '=' && e.starts_with(name)) {
      return e.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

/// systemd.generator(7), ENVIRONMENT VARIABLES; what every service has, too.
std::vector<std::string> ManagerProcess::generator_environment() {
  LaunchSettings settings;
  settings.user_manager = options_.user;
  settings.host = host_;
  settings.environment = configuration_->environment();
  settings.defaults = configuration_->launch_defaults();
  settings.defaults.changed_environment = configuration_->client_environment();
  Environment environment = manager_environment(settings, files_);
  environment.set("SYSTEMD_SCOPE", options_.user ? "user" : "system");
  if (!options_.user) {
    environment.set("SYSTEMD_IN_INITRD", in_initrd_ ? "1" : "0");
    environment.set("SYSTEMD_FIRST_BOOT", access("/run/systemd/first-boot", F_OK) == 0 ? "1" : "0");
  }
  if (!virtualization_.empty()) {
    const bool is_container = !detect_container(environment_, files_).empty();
    environment.set("SYSTEMD_VIRTUALIZATION",
                    format("{}:{}", is_container ? "container" : "vm", virtualization_));
  }
  environment.set("SYSTEMD_ARCHITECTURE", host_.architecture);
  for (const std::string_view name : {"CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY"}) {
    const std::string value = variable_of(environment_, name);
    if (!value.empty()) environment.set(name, value);
  }
  return std::move(environment).assignments();
}

/// Nothing to run where no unit would be read from what they write.
GeneratorPlan ManagerProcess::plan_generators() {
  GeneratorPlan plan;
  plan.folders = generator_folders(options_.user, host_);
  plan.environment_programs = find_generators(
      files_,
      environment_generator_path(options_.user,
                                 variable_of(environment_, "SYSTEMD_ENVIRONMENT_GENERATOR_PATH")),
      nullptr);
  plan.patience = std::min(kGeneratorPatience, configuration_->settings().timeout_start);
  search_path_ = manager_search_path(options_.unit_path, options_.user, host_);
  plan.writes_units = std::ranges::find(search_path_, plan.folders.normal) != search_path_.end();
  if (plan.writes_units) {
    plan.builtins = builtin_generators(
        {files_, kernel_, surroundings_, search_path_, default_unit_, in_initrd_});
    plan.programs = find_generators(
        files_, generator_path(options_.user, variable_of(environment_, "SYSTEMD_GENERATOR_PATH")),
        &plan.builtins);
  }
  if (plan.has_programs()) plan.environment = generator_environment();
  return plan;
}

void ManagerProcess::take_report(const GeneratorReport& report) {
  for (const std::string& loss : report.losses) console_.line(4, "", loss);
  configuration_->set_generated_environment(report.environment);
}

/// The process of its own that a plan with programs needs; null: there is none, and it is told.
std::unique_ptr<GeneratorRun> ManagerProcess::start_generators(const GeneratorPlan& plan) {
  auto run = GeneratorRun::start(plan);
  if (run) return std::move(*run);
  console_.line(3, "", format("the generators can't be run: {}", to_string(run.error())));
  return nullptr;
}

void ManagerProcess::run_generators_at_boot() {
  const GeneratorPlan plan = plan_generators();
  if (!plan.has_programs()) return take_report(run_generators(plan));
  if (const auto run = start_generators(plan)) take_report(run->wait());
}

ReloadStep ManagerProcess::reload(Timestamp now) {
  if (generators_) {
    reload_again_ = true;
    return {std::nullopt, reload_number_ + 1};
  }
  ++reload_number_;
  const GeneratorPlan plan = plan_generators();
  if (plan.has_programs()) {
    generators_ = start_generators(plan);
    if (generators_ && loop_->watch(generators_->fd(), EPOLLIN, on_generators_)) {
      return {std::nullopt, reload_number_};
    }
    if (generators_) take_report(generators_->wait());
    generators_.reset();
  } else {
    take_report(run_generators(plan));
  }
  return {backend_->read_again(now), reload_number_};
}

void ManagerProcess::handle_generators() {
  if (generators_ && generators_->read()) finish_reload();
}

/// Without memory for it the units stay as they were read before, which those who wait are told.
void ManagerProcess::finish_reload() {
  const std::unique_ptr<GeneratorRun> run = std::move(generators_);
  loop_->unwatch(run->fd());
  std::shared_ptr<const Diagnostics> found;
  try {
    take_report(run->finish());
    found = std::make_shared<const Diagnostics>(backend_->read_again(read_clock()));
  } catch (const std::bad_alloc&) {
    console_.line(2, "", "out of memory, the units are not read again");
  }
  service_->reloaded(reload_number_, found);
  if (!std::exchange(reload_again_, false)) return;
  const ReloadStep next = reload(read_clock());
  if (next.found) {
    service_->reloaded(next.number, std::make_shared<const Diagnostics>(*next.found));
  }
}

}  // namespace onset
