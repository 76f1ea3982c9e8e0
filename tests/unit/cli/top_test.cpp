#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/top_view.h"
#include "cli_world.h"

using namespace onset;
using namespace onset::test;

namespace {

/// Each wait is a second, and a look at other files.
class FakeTerminal final : public LiveTerminal {
 public:
  explicit FakeTerminal(std::function<void(unsigned)> change = {}) : change_(std::move(change)) {}
  bool begin() override { return true; }
  Answer wait(Duration longest) override {
    at_ = at_ + longest;
    if (change_) change_(++waits_);
    char key = 0;
    if (!typed.empty()) {
      key = typed.front();
      typed.erase(0, 1);
    }
    return {key, at_};
  }
  MonoTime now() override { return at_; }
  void flush() override {}
  std::string typed;

 private:
  std::function<void(unsigned)> change_;
  unsigned waits_ = 0;
  MonoTime at_{5'000'000};
};

void add_group(MemoryFiles& files, const std::string& path, unsigned cpu_us, unsigned memory) {
  const std::string folder = "/sys/fs/cgroup" + path;
  files.add(folder + "/cpu.stat", "usage_usec " + std::to_string(cpu_us) + "\n");
  files.add(folder + "/memory.current", std::to_string(memory) + "\n");
  files.add(folder + "/pids.current", "3\n");
  files.add(folder + "/io.stat", "254:0 rbytes=4096 wbytes=1 rios=1\n254:16 rbytes=4 wbytes=9\n");
  files.add(folder + "/cpu.pressure", "some avg10=12.50 avg60=0.00 avg300=0.00 total=1\n");
}

json manager_reply() {
  return {{"properties", {{"ControlGroup", "/"}}}};
}

TopRow row_of(std::string_view name, std::optional<double> cpu,
              std::optional<std::uint64_t> memory) {
  TopRow row;
  row.unit = name;
  row.cpu_percent = cpu;
  row.use.memory = memory;
  return row;
}

}  // namespace

TEST_CASE("top shows what the groups of units used between two looks", "[cli][top]") {
  CliWorld world;
  world.files.add("/sys/fs/cgroup/init.scope/cgroup.procs", "1\n");
  add_group(world.files, "/system.slice", 1'000'000, 9000);
  add_group(world.files, "/system.slice/a.service", 400'000, 4096);
  add_group(world.files, "/system.slice/a.service/worker", 400'000, 4096);
  FakeTerminal terminal(
      [&](unsigned) { add_group(world.files, "/system.slice/a.service", 900'000, 8192); });
  world.context.keys = &terminal;
  world.manager.reply(manager_reply());
  REQUIRE(world.run({"top", "--json=short"}) == 0);
  const json shown = json::parse(world.out.text);
  REQUIRE(shown.size() == 3);  // init.scope too; what a unit has below its own group is its own
  CHECK(shown[0]["unit"] == "a.service");
  CHECK(shown[0]["cpu_percent"] == Approx(50));
  CHECK(shown[0]["memory"] == 8192);
  CHECK(shown[0]["tasks"] == 3);
  CHECK(shown[0]["read_rate"] == Approx(0));
  CHECK(shown[0]["cpu_pressure"] == 1250);
  CHECK(shown[0]["memory_pressure"] == nullptr);
  CHECK(shown[1]["unit"] == "system.slice");
}

TEST_CASE("without groups top adds up what the processes of a unit use", "[cli][top]") {
  CliWorld world;
  const auto add_process = [&](int pid, unsigned ticks) {
    const std::string folder = "/proc/" + std::to_string(pid) + "/";
    world.files.add(folder + "stat", std::to_string(pid) + " (x) S 1 1 1 0 -1 0 0 0 0 0 " +
                                         std::to_string(ticks) + " 10 0 0 20 0 2 0 99 0 0");
    world.files.add(folder + "status", "VmRSS:\t  8 kB\n");
    world.files.add(folder + "io", "read_bytes: 100\nwrite_bytes: 7\n");
  };
  add_process(10, 0);
  add_process(11, 0);
  FakeTerminal terminal([&](unsigned) { add_process(10, 25); });
  world.context.keys = &terminal;
  world.manager.reply({{"properties", {{"ControlGroup", ""}}}});
  const json unit = {{"name", "a.service"}, {"processes", {{{"pid", 10}}, {{"pid", 11}}}}};
  world.manager.reply({{"units", {unit}}});
  world.manager.reply({{"units", {unit}}});
  REQUIRE(world.run({"top"}) == 0);
  INFO(world.out.text);
  CHECK(world.out.text.find("\n25.0 ~16.0K 4     0B     0B      - ") != std::string::npos);
  CHECK(world.out.text.find(" a.service\n") != std::string::npos);
}

TEST_CASE("top on a terminal stays until q, and sorts by the key that was pressed", "[cli][top]") {
  CliWorld world;
  world.files.add("/sys/fs/cgroup/init.scope/cgroup.procs", "1\n");
  add_group(world.files, "/a.service", 0, 1);
  add_group(world.files, "/b.service", 0, 2);
  FakeTerminal terminal;
  terminal.typed = "n mxq";
  world.context.keys = &terminal;
  world.context.is_tty = true;
  world.context.rows = 5;
  world.manager.reply(manager_reply());
  REQUIRE(world.run({"top"}) == 0);
  const std::string last = world.out.text.substr(world.out.text.rfind("\x1b[H"));
  CHECK(last.find("b.service") < last.find("a.service"));
  const std::string first = world.out.text.substr(0, world.out.text.find("\x1b[H", 3));
  CHECK(first.find("a.service") < first.find("b.service"));
}

TEST_CASE("rows are sorted by what is asked for, then by name, the unknown last", "[cli][top]") {
  Uses uses;
  uses["c.service"].memory = 5;
  uses["b.service"].memory = 7;
  uses["a.service"];
  uses["d.service"].tasks = 9;
  const auto names = [&](TopOrder order) {
    std::string all;
    for (const TopRow& row : top_rows(uses, uses, std::chrono::seconds(1), order)) {
      all += row.unit.substr(0, 1);
    }
    return all;
  };
  CHECK(names(TopOrder::Memory) == "bcad");
  CHECK(names(TopOrder::Tasks) == "dabc");
  CHECK(names(TopOrder::Name) == "abcd");
  CHECK(names(TopOrder::Cpu) == "abcd");
}

TEST_CASE("a count that went back gives no rate", "[cli][top]") {
  Uses before;
  Uses now;
  before["a.service"].cpu_us = 100;
  now["a.service"].cpu_us = 50;
  CHECK_FALSE(top_rows(before, now, std::chrono::seconds(1), TopOrder::Cpu)[0].cpu_percent);
  now["a.service"].cpu_us = 1'000'100;
  CHECK(*top_rows(before, now, std::chrono::seconds(2), TopOrder::Cpu)[0].cpu_percent ==
        Approx(50));
  CHECK_FALSE(top_rows(before, now, Duration(0), TopOrder::Cpu)[0].cpu_percent);
}

TEST_CASE("a hostile unit name can't write to the terminal", "[cli][top]") {
  const std::string text = top_text({row_of("a\x1b[2J.service", 1.0, 5)}, {}, 0, 0);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("what top can't sort by or wait for is refused", "[cli][top]") {
  CliWorld world;
  CHECK(world.run({"top", "--order=x"}) == 1);
  CHECK(world.err.text == "Failed to parse order 'x'\n");
  CHECK(world.run({"top", "--delay=0"}) == 1);
  CHECK(world.run({"top", "--iterations=-1"}) == 1);
}
