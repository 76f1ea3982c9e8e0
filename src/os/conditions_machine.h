#pragma once
// The conditions that ask the machine about itself (systemd.unit(5)); one
// function each, with the condition's parameter. What a machine does not say
// (no /proc, no /sys) does not hold.

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/conditions.h"

namespace onset {

Result<bool> test_architecture(const std::string& value);
Result<bool> test_firmware(const std::string& value, FileSource& files);
Result<bool> test_virtualization(const std::string& value, const ConditionContext& context);
Result<bool> test_host(const std::string& value, const ConditionContext& context);
Result<bool> test_kernel_command_line(const std::string& value, const ConditionContext& context);
Result<bool> test_kernel_version(const std::string& value);
Result<bool> test_credential(const std::string& value, const ConditionContext& context);
Result<bool> test_environment(const std::string& value, const ConditionContext& context);
Result<bool> test_security(const std::string& value, FileSource& files);
Result<bool> test_capability(const std::string& value);
Result<bool> test_ac_power(const std::string& value, FileSource& files);
Result<bool> test_needs_update(const std::string& value, const ConditionContext& context);
Result<bool> test_first_boot(const std::string& value, const ConditionContext& context);
Result<bool> test_user(const std::string& value, const ConditionContext& context);
Result<bool> test_group(const std::string& value, const ConditionContext& context);
Result<bool> test_cgroup_controller(const std::string& value, FileSource& files);
Result<bool> test_memory(const std::string& value, FileSource& files);
Result<bool> test_cpus(const std::string& value);
Result<bool> test_cpu_feature(const std::string& value);
Result<bool> test_os_release(const std::string& value, FileSource& files);
/// `kind` is "memory", "cpu" or "io".
Result<bool> test_pressure(std::string_view kind, const std::string& value, FileSource& files,
                           bool user_manager);

}  // namespace onset
