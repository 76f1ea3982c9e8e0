#pragma once
// What the control methods need and the engine does not know (control/backend.h),
// from this process: its files, its processes, its machine.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/backend.h"
#include "init/boot_marks.h"
#include "init/configuration.h"
#include "init/console.h"
#include "init/options.h"
#include "init/shutdown_timer.h"
#include "init/starvation_watch.h"
#include "init/unit_files.h"
#include "os/files.h"
#include "os/real_os.h"
#include "unit/install.h"
#include "unit/loader.h"
#include "unit/preset.h"

namespace onset {

/// Everything that it looks at; all of it outlives the backend.
struct BackendContext {
  LoaderConfig loader;  ///< for the next reload
  const InitOptions* options = nullptr;
  std::string default_unit;
  Configuration* configuration = nullptr;
  Console* console = nullptr;
  std::function<ReloadStep(Timestamp)> reload;
  std::function<void(Diagnostics&)> reread_configuration;  ///< before a reload
  std::string virtualization;                              ///< empty: none
  const BootMarks* marks = nullptr;
  Manager* manager = nullptr;
  RealOs* os = nullptr;
  const StarvationWatch* starvation = nullptr;
  ShutdownTimer* shutdown_timer = nullptr;
  RealFiles* files = nullptr;
  std::unique_ptr<LoadedFiles>* units = nullptr;  ///< replaced by a reload
};

class ProcessBackend final : public ControlBackend {
 public:
  explicit ProcessBackend(BackendContext context);

  bool has_unit_file(std::string_view name) override;
  void forget_files() override;
  UnitFileFacts file_facts(const Unit& unit) override;
  bool needs_reload(const Unit& unit) override;
  Result<void, std::string> make_transient(const std::string& name,
                                           const std::string& text) override;
  void drop_transient(const std::string& name) override;
  SysResult hold_processes(UnitId id, const std::vector<pid_t>& pids) override {
    return context_.os->hold_processes(id, pids);
  }
  ReloadStep reload(Timestamp now) override { return context_.reload(now); }
  /// The end of a reload: all unit files and the configuration.
  Diagnostics read_again(Timestamp now);
  std::string default_target() override;
  std::vector<pid_t> processes(UnitId id) override { return context_.os->processes(id); }
  std::string command_line(pid_t pid) override;
  ProcessPlace place(pid_t pid) override;
  UnitId unit_of_pid(pid_t pid) override { return context_.os->unit_of_process(pid); }
  std::string control_group(UnitId id) override;
  UnitUsage usage(UnitId id) override;
  std::vector<std::string> starvation(UnitId id) override;
  std::vector<std::string> not_enforced(UnitId id) override;
  SysResult freeze(UnitId id, bool frozen) override;
  bool is_frozen(UnitId id) override { return context_.os->is_frozen(id); }
  std::vector<std::string> environment() override;
  Result<void, RequestError> change_environment(const std::vector<std::string>& unset,
                                                const std::vector<std::string>& set) override;
  void set_log_level(int level) override { context_.console->set_level(level); }
  bool set_log_target(std::string_view target) override;
  Result<void, RequestError> shut_down(const ShutdownRequest& request, Timestamp now) override;
  Result<WallTime, RequestError> plan_shutdown(const PlannedShutdown& plan, Timestamp now) override;
  bool cancel_shutdown(bool announces, const std::string& message, Timestamp now) override;
  std::optional<Planned> planned_shutdown() override;
  std::string version() override;
  std::vector<std::string> features() override;
  std::map<std::string, std::string> properties() override;

 private:
  BackendContext context_;
  /// What is-enabled and presets have read, for one request.
  std::optional<UnitInstaller> installer_;
  std::optional<PresetRules> presets_;
};

}  // namespace onset
