#include "os/cgroup_limits.h"

#include <catch2/catch.hpp>

#include "base/format.h"
#include "support/loaded_unit.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

using Lines = std::vector<std::string>;

LimitContext plain_context() {
  LimitContext context;
  context.device_of = [](const std::string& path) -> Result<std::string, std::string> {
    if (path == "/dev/vda") return std::string("254:0");
    return Failure{path + ": not there"};
  };
  return context;
}

GroupLimits limits_of_text(std::string_view settings,
                           const LimitContext& context = plain_context()) {
  const test::LoadedUnit loaded = test::load_service(settings);
  INFO(loaded.told());
  CHECK(loaded.diagnostics.empty());
  return limits_of(config_of<ResourceConfig>(std::as_const(*loaded.unit)), context);
}

Lines lines_of(const std::vector<CgroupWrite>& writes) {
  Lines lines;
  for (const CgroupWrite& write : writes) {
    lines.push_back(
        format("{}={}{}{}", write.file, write.device, write.device.empty() ? "" : " ", write.text));
  }
  return lines;
}

Lines written(std::string_view settings, const LimitContext& context = plain_context()) {
  return lines_of(limits_of_text(settings, context).writes);
}

TEST_CASE("each limit is the kernel's file and text for it", "[os][cgroup][limits]") {
  CHECK(written("CPUWeight=20") == Lines{"cpu.weight=20"});
  CHECK(written("CPUWeight=idle") == Lines{"cpu.idle=1"});
  CHECK(written("CPUQuota=20%") == Lines{"cpu.max=20000 100000"});
  CHECK(written("CPUQuota=250%\nCPUQuotaPeriodSec=10ms") == Lines{"cpu.max=25000 10000"});
  CHECK(written("AllowedCPUs=0-3,7 9") == Lines{"cpuset.cpus=0-3,7,9"});
  CHECK(written("AllowedMemoryNodes=1") == Lines{"cpuset.mems=1"});
  CHECK(written("MemoryMin=1M\nMemoryLow=2M\nMemoryHigh=3M\nMemoryMax=4M") ==
        Lines{"memory.min=1048576", "memory.low=2097152", "memory.high=3145728",
              "memory.max=4194304"});
  CHECK(written("MemorySwapMax=0\nMemoryZSwapMax=4K") ==
        Lines{"memory.swap.max=0", "memory.zswap.max=4096"});
  CHECK(written("TasksMax=17") == Lines{"pids.max=17"});
  CHECK(written("IOWeight=50") == Lines{"io.weight=default 50"});
  CHECK(written("IODeviceWeight=/dev/vda 70") == Lines{"io.weight=254:0 70"});
  CHECK(written("IOReadBandwidthMax=/dev/vda 1M\nIOWriteIOPSMax=/dev/vda 1K") ==
        Lines{"io.max=254:0 rbps=1000000 wbps=max riops=max wiops=1000"});
  CHECK(written("IODeviceLatencyTargetSec=/dev/vda 25ms") ==
        Lines{"io.latency=254:0 target=25000"});
}

TEST_CASE("what is no limit is not written", "[os][cgroup][limits]") {
  CHECK(written("").empty());
  CHECK(written("MemoryMax=infinity\nMemoryLow=0\nTasksMax=infinity").empty());
  CHECK(written("CPUQuota=50%\nCPUQuota=").empty());
  CHECK(written("IOReadBandwidthMax=/dev/vda 1M\nIOReadBandwidthMax=").empty());
}

TEST_CASE("a period of a quota is one that the kernel takes", "[os][cgroup][limits]") {
  CHECK(written("CPUQuota=50%\nCPUQuotaPeriodSec=1us") == Lines{"cpu.max=1000 2000"});
  CHECK(written("CPUQuota=50%\nCPUQuotaPeriodSec=1h") == Lines{"cpu.max=500000 1000000"});
  CHECK(written("CPUQuota=0.01%") == Lines{"cpu.max=1000 1000000"});
  CHECK(written("CPUQuota=1%\nCPUQuotaPeriodSec=10ms") == Lines{"cpu.max=1000 100000"});
}

TEST_CASE("startup values hold while the machine boots and no longer", "[os][cgroup][limits]") {
  const std::string_view settings =
      "CPUWeight=10\nStartupCPUWeight=900\nIOWeight=11\nStartupIOWeight=901\n"
      "AllowedCPUs=0\nStartupAllowedCPUs=1";
  LimitContext context = plain_context();
  CHECK(written(settings, context) ==
        Lines{"cpu.weight=10", "cpuset.cpus=0", "io.weight=default 11"});
  context.startup = true;
  CHECK(written(settings, context) ==
        Lines{"cpu.weight=900", "cpuset.cpus=1", "io.weight=default 901"});
  CHECK(written("StartupCPUWeight=900").empty());
}

TEST_CASE("settings of cgroup v1 are converted, and give way to the new ones",
          "[os][cgroup][limits]") {
  CHECK(written("CPUShares=2048") == Lines{"cpu.weight=200"});
  CHECK(written("CPUShares=2") == Lines{"cpu.weight=1"});
  CHECK(written("CPUShares=262144") == Lines{"cpu.weight=10000"});
  CHECK(written("CPUShares=2048\nCPUWeight=7") == Lines{"cpu.weight=7"});
  CHECK(written("MemoryLimit=1M") == Lines{"memory.max=1048576"});
  CHECK(written("MemoryLimit=1M\nMemoryMax=2M") == Lines{"memory.max=2097152"});
  CHECK(written("BlockIOWeight=1000") == Lines{"io.weight=default 200"});
  CHECK(written("BlockIODeviceWeight=/dev/vda 10") == Lines{"io.weight=254:0 2"});
  CHECK(written("BlockIOReadBandwidth=/dev/vda 5M\nBlockIOWriteBandwidth=/dev/vda 6M") ==
        Lines{"io.max=254:0 rbps=5000000 wbps=6000000 riops=max wiops=max"});
  CHECK(written("BlockIOWeight=1000\nIOWeight=3") == Lines{"io.weight=default 3"});
}

TEST_CASE("a percentage is of what the machine has", "[os][cgroup][limits]") {
  test::MemoryFiles files;
  files.set_unit("/etc/systemd/system/a.service",
                 "[Service]\nExecStart=/bin/a\nMemoryMax=25%\nTasksMax=10%\n");
  LoaderConfig config = test::loader_config();
  config.host.memory_bytes = 1U << 30U;
  config.host.tasks_max = 32768;
  const auto loaded = test::load_from(files, "a.service", config);
  const auto& resource = config_of<ResourceConfig>(std::as_const(*loaded.unit));
  CHECK(lines_of(limits_of(resource, plain_context()).writes) ==
        Lines{"memory.max=268435456", "pids.max=3276"});
}

TEST_CASE("slices give their default protection to who has none of his own",
          "[os][cgroup][limits]") {
  LimitContext context = plain_context();
  context.default_memory_min = 5;
  context.default_memory_low = 6;
  CHECK(written("", context) == Lines{"memory.min=5", "memory.low=6"});
  CHECK(written("MemoryLow=0", context) == Lines{"memory.min=5"});
}

TEST_CASE("what is counted needs a controller and is no limit", "[os][cgroup][limits]") {
  ManagerSettings defaults;
  defaults.tasks_max = 99;
  LimitContext context = plain_context();
  context.defaults = &defaults;
  const GroupLimits counted = limits_of_text("", context);
  CHECK(counted.controllers == (set_of(Controller::Memory) | set_of(Controller::Pids)));
  CHECK(counted.required == 0);
  CHECK(lines_of(counted.writes) == Lines{"pids.max=99"});
  CHECK(limits_of_text("MemoryAccounting=no\nTasksAccounting=no\nTasksMax=infinity", context)
            .controllers == 0);
  CHECK(limits_of_text("IOAccounting=yes").controllers == set_of(Controller::Io));
  CHECK(limits_of_text("Delegate=cpu io").controllers ==
        (set_of(Controller::Cpu) | set_of(Controller::Io)));
  CHECK(limits_of_text("Delegate=yes").controllers == kAllControllers);
  CHECK(limits_of_text("TasksMax=3").required == set_of(Controller::Pids));
  context.is_slice = true;
  context.defaults = nullptr;
  CHECK(limits_of_text("", context).writes.empty());
}

TEST_CASE("a device that is not there is named, and the others count", "[os][cgroup][limits]") {
  const GroupLimits limits = limits_of_text("IOReadIOPSMax=/dev/none 5\nIOReadIOPSMax=/dev/vda 6");
  CHECK(lines_of(limits.writes) == Lines{"io.max=254:0 rbps=max wbps=max riops=6 wiops=max"});
  CHECK(limits.not_enforced ==
        std::vector<NotEnforced>{{"IOReadBandwidthMax", "/dev/none: not there"}});
}

TEST_CASE("what is taken back is written as the kernel's default", "[os][cgroup][limits]") {
  const auto before =
      limits_of_text(
          "CPUWeight=idle\nMemoryMax=1M\nTasksMax=5\nIOWeight=9\nIOReadIOPSMax=/dev/vda 6")
          .writes;
  const auto after = limits_of_text("CPUWeight=30\nMemoryMax=2M\nTasksMax=5").writes;
  CHECK(lines_of(difference(before, after)) ==
        Lines{"cpu.idle=0", "io.weight=default 100",
              "io.max=254:0 rbps=max wbps=max riops=max wiops=max", "cpu.weight=30",
              "memory.max=2097152"});
  CHECK(difference(after, after).empty());
}

TEST_CASE("every file that is written has a text that takes it back", "[os][cgroup][limits]") {
  for (const CgroupWrite& write :
       limits_of_text("CPUWeight=idle\nCPUQuota=1%\nAllowedCPUs=0\nAllowedMemoryNodes=0\n"
                      "MemoryMin=1\nMemoryLow=1\nMemoryHigh=1\nMemoryMax=1\nMemorySwapMax=1\n"
                      "MemoryZSwapMax=1\nTasksMax=1\nIOWeight=1\nIOReadIOPSMax=/dev/vda 1\n"
                      "IODeviceLatencyTargetSec=/dev/vda 1")
           .writes) {
    INFO(write.file);
    CHECK_FALSE(default_text(write.file).empty());
  }
}

}  // namespace
}  // namespace onset
