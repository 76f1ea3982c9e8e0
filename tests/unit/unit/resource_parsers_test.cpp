#include "unit/resource_parsers.h"

#include <netinet/in.h>

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"

namespace onset {
namespace {

using test::load_service;

std::string shown_as(std::string_view setting, std::string_view settings) {
  const test::LoadedUnit loaded = load_service(settings);
  INFO(loaded.told());
  CHECK(loaded.diagnostics.empty());
  return find_directive(Section::Service, setting)->show(*loaded.unit);
}

TEST_CASE("amounts are printed as systemctl show prints them", "[unit][resource]") {
  CHECK(shown_as("MemoryMax", "MemoryMax=1K") == "1024");
  CHECK(shown_as("MemoryMax", "") == "infinity");
  CHECK(shown_as("MemoryLow", "") == "0");
  CHECK(shown_as("CPUWeight", "") == "[not set]");
  CHECK(shown_as("CPUWeight", "CPUWeight=idle") == "idle");
  CHECK(shown_as("CPUQuota", "CPUQuota=20%") == "200ms");
  CHECK(shown_as("CPUQuota", "") == "infinity");
  CHECK(shown_as("CPUQuotaPeriodSec", "CPUQuotaPeriodSec=10ms") == "10ms");
  CHECK(shown_as("IOReadBandwidthMax",
                 "IOReadBandwidthMax=/dev/a 5M\nIOReadBandwidthMax=/dev/b 1K") ==
        "/dev/a 5000000\n/dev/b 1000");
  CHECK(shown_as("DeviceAllow", "DeviceAllow=char-pts rw\nDeviceAllow=/dev/null") ==
        "char-pts rw\n/dev/null rwm");
  CHECK(shown_as("DisableControllers", "DisableControllers=io cpu") == "cpu io");
}

TEST_CASE("sets of numbers add up, and an empty one takes all back", "[unit][resource]") {
  CHECK(shown_as("AllowedCPUs", "AllowedCPUs=0 2-3,1\nAllowedCPUs=7") == "0-3 7");
  CHECK(shown_as("AllowedCPUs", "AllowedCPUs=0\nAllowedCPUs=\nAllowedCPUs=5") == "5");
  CHECK(load_service("AllowedCPUs=3-1").tells("AllowedCPUs=3-1: expected numbers and ranges"));
  CHECK(load_service("AllowedCPUs=8192").tells("expected numbers"));
}

TEST_CASE("addresses are networks, without the bits that do not count", "[unit][resource]") {
  CHECK(shown_as("IPAddressDeny", "IPAddressDeny=any") == "0.0.0.0/0 ::/0");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=localhost") == "127.0.0.0/8 ::1/128");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=link-local multicast") ==
        "169.254.0.0/16 fe80::/64 224.0.0.0/4 ff00::/8");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=10.1.2.3/8 10.0.0.0/8") == "10.0.0.0/8");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=192.168.1.1") == "192.168.1.1/32");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=2001:db8::1:0:0/96") == "2001:db8::1:0:0/96");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=1:2:3:4:5:6:7:8") == "1:2:3:4:5:6:7:8/128");
  CHECK(shown_as("IPAddressAllow", "IPAddressAllow=::ffff:1.2.3.4") == "::ffff:102:304/128");
  for (const char* bad : {"1.2.3", "1.2.3.4/33", "1.2.3.04", ":::", "1::2::3", "1:2:3:4:5:6:7",
                          "::1/129", "12345::", "1:2:3:4:5:6:7:8::", "host"}) {
    INFO(bad);
    CHECK(load_service("IPAddressAllow=" + std::string(bad)).tells("the unit is refused"));
  }
}

TEST_CASE("a rule of ports has a family, a protocol and a range, each or none",
          "[unit][resource]") {
  for (const char* rule : {"any", "ipv4", "udp", "80", "1000-2000", "ipv6:tcp", "ipv4:udp:53",
                           "tcp:1-1024", "ipv6:10000-65535"}) {
    CHECK(shown_as("SocketBindAllow", "SocketBindAllow=" + std::string(rule)) == rule);
  }
  for (const char* bad : {"0", "tcp:ipv4", "80:tcp", "5-4", "65536", "ipv4:", "sctp", ""}) {
    if (*bad == 0) continue;
    INFO(bad);
    CHECK(load_service("SocketBindDeny=" + std::string(bad)).tells("the unit is refused"));
  }
}

TEST_CASE("pinned programs are named by their hook and their place, once each",
          "[unit][resource]") {
  CHECK(shown_as("BPFProgram",
                 "BPFProgram=bind6:/sys/fs/bpf/a\nBPFProgram=egress:/sys/fs/bpf/b\n"
                 "BPFProgram=bind6:/sys/fs/bpf/a") == "bind6:/sys/fs/bpf/a\negress:/sys/fs/bpf/b");
  CHECK(shown_as("BPFProgram", "BPFProgram=bind6:/sys/fs/bpf/a\nBPFProgram=").empty());
  CHECK(shown_as("IPEgressFilterPath", "IPEgressFilterPath=/a\nIPEgressFilterPath=/b") == "/a\n/b");
  for (const char* bad : {"bind6", "bind7:/a", "egress:a", ":/a"}) {
    INFO(bad);
    CHECK(load_service("BPFProgram=" + std::string(bad)).tells("the unit is refused"));
  }
  CHECK(load_service("IPIngressFilterPath=a").tells("the unit is refused"));
}

TEST_CASE("the first rule of interfaces says whether they are allowed or denied",
          "[unit][resource]") {
  const auto rules = [](std::string_view settings) {
    return shown_as("RestrictNetworkInterfaces", settings);
  };
  CHECK(rules("RestrictNetworkInterfaces=eth1\nRestrictNetworkInterfaces=eth2") == "eth1 eth2");
  CHECK(rules("RestrictNetworkInterfaces=~eth1 eth2") == "~eth1 eth2");
  CHECK(rules("RestrictNetworkInterfaces=eth1 eth2\nRestrictNetworkInterfaces=~eth1") == "eth2");
  CHECK(rules("RestrictNetworkInterfaces=~eth1 eth2\nRestrictNetworkInterfaces=eth2") == "~eth1");
  CHECK(rules("RestrictNetworkInterfaces=eth1\nRestrictNetworkInterfaces=").empty());
  for (const char* bad : {"a/b", "12", "all", ".."}) {
    INFO(bad);
    CHECK(load_service("RestrictNetworkInterfaces=" + std::string(bad))
              .tells("not the name of an interface"));
  }
}

TEST_CASE("what is done when memory runs short is read as systemd reads it", "[unit][resource]") {
  CHECK(shown_as("ManagedOOMMemoryPressure", "ManagedOOMMemoryPressure=kill") == "kill");
  CHECK(shown_as("ManagedOOMMemoryPressureLimit", "") == "0");
  CHECK(shown_as("ManagedOOMMemoryPressureLimit", "ManagedOOMMemoryPressureLimit=50%") ==
        "2147483648");
  CHECK(shown_as("ManagedOOMPreference", "ManagedOOMPreference=avoid") == "avoid");
  CHECK(shown_as("MemoryPressureWatch", "MemoryPressureWatch=yes") == "on");
  CHECK(shown_as("MemoryPressureWatch", "MemoryPressureWatch=skip") == "skip");
  CHECK(shown_as("MemoryPressureThresholdSec", "MemoryPressureThresholdSec=150ms") == "150ms");
  CHECK(load_service("ManagedOOMSwap=perhaps").tells("one of auto, kill"));
  CHECK(load_service("ManagedOOMMemoryPressureLimit=101%").tells("ManagedOOMMemoryPressureLimit="));
  CHECK(load_service("ManagedOOMMemoryPressureDurationSec=10ms").tells("at least 1s"));
}

TEST_CASE("Delegate= takes a boolean or controllers", "[unit][resource]") {
  const auto delegated = [](std::string_view settings) {
    const auto loaded = load_service(settings);
    return std::pair(loaded.unit->cgroup->delegate,
                     format_controllers(loaded.unit->resource->delegated));
  };
  CHECK(delegated("Delegate=yes") == std::pair(true, std::string("cpu cpuset io memory pids")));
  CHECK(delegated("Delegate=no") == std::pair(false, std::string()));
  CHECK(delegated("Delegate=cpu\nDelegate=pids") == std::pair(true, std::string("cpu pids")));
  CHECK(delegated("Delegate=cpu\nDelegate=") == std::pair(true, std::string()));
}

}  // namespace
}  // namespace onset
