#include "unit/boot_files.h"

#include <catch2/catch.hpp>

#include "base/text.h"
#include "support/memory_files.h"

using namespace onset;
using test::MemoryFiles;

namespace {

/// "key=value" of what is to be written; excluded and ignored failures are marked.
std::string plan(std::string_view text, MemoryFiles& files) {
  Diagnostics diagnostics;
  std::string shown;
  for (const auto& s : plan_sysctl(parse_sysctl(text, "f", diagnostics), files, diagnostics)) {
    shown += (s.ignore_failure ? "-" : "") + s.key + '=' + s.value + '\n';
  }
  for (const Diagnostic& d : diagnostics) shown += to_string(d) + '\n';
  return shown;
}

}  // namespace

TEST_CASE("files come by name, the first folder's hides the others", "[unit][boot]") {
  MemoryFiles files;
  for (const char* path :
       {"/etc/x.d/20-a.conf", "/run/x.d/20-a.conf", "/run/x.d/10-b.conf", "/usr/lib/x.d/30-c.conf",
        "/usr/lib/x.d/README", "/usr/lib/x.d/.hidden.conf", "/usr/lib/x.d/40-d.conf"}) {
    files.add(path, "");
  }
  files.add_special("/dev/null");
  files.add_link("/etc/x.d/40-d.conf", "/dev/null");
  Diagnostics diagnostics;
  const auto folders = conf_folders("x.d");
  CHECK(folders.front() == "/etc/x.d");
  CHECK(conf_files(files, folders, diagnostics) ==
        std::vector<std::string>{"/run/x.d/10-b.conf", "/etc/x.d/20-a.conf",
                                 "/usr/lib/x.d/30-c.conf"});
  CHECK(diagnostics.empty());
}

TEST_CASE("in a sysctl's name the first separator says what the others are", "[unit][boot]") {
  CHECK(sysctl_path("kernel.sysrq") == "kernel/sysrq");
  CHECK(sysctl_path("net/ipv4/conf/eth0.1/x") == "net/ipv4/conf/eth0.1/x");
  CHECK(sysctl_path("net.ipv4.conf.eth0/1.x") == "net/ipv4/conf/eth0.1/x");
  CHECK(sysctl_path("a") == "a");
}

TEST_CASE("sysctl lines are keys and values, the last one of a key counts", "[unit][boot]") {
  MemoryFiles files;
  CHECK(plan("# no\n; no\n\n kernel.a = 1 2\t\nkernel/b=\nkernel.a=3\n-vm.c=4\n", files) ==
        "kernel/a=3\nkernel/b=\n-vm/c=4\n");
  CHECK(plan("nonsense\n=1\n../x=1\n/a=1\na=1\n", files) ==
        "a=1\n"
        "f:1: expected KEY=VALUE, not \"nonsense\"\n"
        "f:2: expected KEY=VALUE, not \"=1\"\n"
        "f:3: expected KEY=VALUE, not \"../x=1\"\n"
        "f:4: expected KEY=VALUE, not \"/a=1\"\n");
}

TEST_CASE("a sysctl's pattern leaves alone what has a line of its own", "[unit][boot]") {
  MemoryFiles files;
  for (const char* name : {"all", "default", "eth0", "lo"}) {
    files.add(std::string("/proc/sys/net/ipv4/conf/") + name + "/rp_filter", "0");
  }
  CHECK(plan("net.ipv4.conf.*.rp_filter=2\nnet.ipv4.conf.lo.rp_filter=0\n"
             "-net.ipv4.conf.all.rp_filter\n",
             files) ==
        "net/ipv4/conf/default/rp_filter=2\nnet/ipv4/conf/eth0/rp_filter=2\n"
        "net/ipv4/conf/lo/rp_filter=0\n");
  CHECK(plan("net.none.*=1\n", files) == "f:1: net/none/* is nothing here\n");
}

TEST_CASE("modules come from files and the kernel's command line", "[unit][boot]") {
  CHECK(parse_module_names("# a\n;b\n\n loop \nfuse\n") ==
        std::vector<std::string>{"loop", "fuse"});
  CHECK(modules_of_command_line("modules-load=a,b modules_load=c rd.modules_load=d x=e", false) ==
        std::vector<std::string>{"a", "b", "c"});
  CHECK(modules_of_command_line("rd.modules-load=d,,", true) == std::vector<std::string>{"d"});
}
