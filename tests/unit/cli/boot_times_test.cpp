// time, blame, critical-chain and plot: the texts, as systemd-analyze(1) has them.
#include "cli/boot_times.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli_world.h"

using namespace onset;
using namespace onset::test;
using namespace std::chrono_literals;

namespace {

MonoTime at(double seconds) {
  return MonoTime{std::llround(seconds * 1e6)};
}

UnitTimes unit(std::string name, double activating, double activated,
               std::vector<std::string> after = {}) {
  UnitTimes u;
  u.name = std::move(name);
  u.activating = at(activating);
  u.activated = at(activated);
  u.after = std::move(after);
  return u;
}

/// The manual's own example, as far as it goes.
BootRecord record() {
  BootRecord r;
  r.marks.has_kernel = true;
  r.marks.userspace = at(2);
  r.marks.finish = at(50);
  r.units = {
      unit("multi-user.target", 49.820, 49.820, {"pmie.service", "early.service"}),
      unit("pmie.service", 37.968, 38.516, {"pmcd.service", "basic.target"}),
      unit("pmcd.service", 35.715, 37.962, {"network-online.target", "-.slice"}),
      unit("network-online.target", 35.712, 35.712),
      unit("early.service", 37.0, 38.4),
      unit("basic.target", 9.0, 9.0),
      unit("-.slice", 1.9, 1.9),
      unit("late.service", 51, 52),
  };
  return r;
}

std::string chain(const BootRecord& r, const std::string& root, Duration fuzz = 0s) {
  return chain_text(r, root, fuzz, Palette{});
}

}  // namespace

TEST_CASE("time tells the parts of the boot and when the target was reached", "[cli][boot]") {
  BootPhases marks;
  marks.userspace = at(100);
  marks.finish = at(100.296);
  CHECK(time_text(marks, "multi-user.target", at(100.275)) ==
        "Startup finished in 296ms (userspace)\n"
        "multi-user.target reached after 275ms in userspace\n");
  marks.has_kernel = true;
  marks.initrd = at(2.584);
  marks.userspace = at(21.760);
  marks.finish = at(69.607);
  CHECK(time_text(marks, "multi-user.target", at(69.580)) ==
        "Startup finished in 2.584s (kernel) + 19.176s (initrd) + 47.847s (userspace) = 1min "
        "9.607s\nmulti-user.target reached after 47.820s in userspace\n");
  marks.initrd = at(0);
  CHECK(time_text(marks, "a.target", at(0)) ==
        "Startup finished in 21.760s (kernel) + 47.847s (userspace) = 1min 9.607s\n"
        "a.target was never reached\n");
}

TEST_CASE("blame lists what took time, the longest first", "[cli][boot]") {
  BootRecord r;
  r.units = {unit("a.service", 1, 1.011), unit("b.service", 1, 33.875), unit("c.service", 1, 1)};
  UnitTimes oneshot = unit("once.service", 2, 0);
  oneshot.deactivated = at(2.5);
  r.units.push_back(oneshot);
  r.units.push_back(unit("hostile\x1b.service", 1, 1.002));
  CHECK(blame_text(r) ==
        "         32.875s b.service\n"
        "           500ms once.service\n"
        "            11ms a.service\n"
        "             2ms hostile\\x1b.service\n");
}

TEST_CASE("critical-chain goes down to what came last before each unit", "[cli][boot]") {
  CHECK(chain(record(), "multi-user.target") ==
        "multi-user.target @47.820s\n"
        "└─pmie.service @35.968s +548ms\n"
        "  └─pmcd.service @33.715s +2.247s\n"
        "    └─network-online.target @33.712s\n");
  CHECK(chain(record(), "none.service") == "none.service\n");
  CHECK(chain(record(), "-.slice") == "-.slice\n");
}

TEST_CASE("with --fuzz= units that came a little earlier are in the tree", "[cli][boot]") {
  CHECK(chain(record(), "multi-user.target", 1s) ==
        "multi-user.target @47.820s\n"
        "├─pmie.service @35.968s +548ms\n"
        "│ └─pmcd.service @33.715s +2.247s\n"
        "│   └─network-online.target @33.712s\n"
        "└─early.service @35s +1.400s\n");
}

TEST_CASE("units that name one another in a ring end the chain", "[cli][boot]") {
  BootRecord r;
  r.marks.finish = at(9);
  r.units = {unit("a.service", 1, 2, {"b.service"}), unit("b.service", 3, 4, {"a.service"})};
  CHECK(chain(r, "a.service") == "a.service @1s +1s\n└─b.service @3s +1s\n  └─a.service @1s +1s\n");
}

TEST_CASE("a plot has each unit of the boot once, and its text is no markup", "[cli][boot]") {
  BootRecord r = record();
  r.units.push_back(unit("a<&\">.service", 5, 6));
  UnitTimes gone = unit("gone.service", 6, 7);
  gone.deactivating = at(8);
  gone.deactivated = at(9);
  r.units.push_back(gone);
  const std::string svg = plot_text(r, "host <x>: Startup & more");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.ends_with("</svg>\n"));
  for (const char* name : {"pmie.service (548ms)", "basic.target", "a&lt;&amp;&quot;&gt;.service",
                           "gone.service (1s)", "host &lt;x&gt;: Startup &amp; more"}) {
    CAPTURE(name);
    CHECK(svg.find(name) != svg.npos);
  }
  CHECK(svg.find("late.service") == svg.npos);
  CHECK(svg.find("a<&") == svg.npos);
  CHECK(svg.find("class=\"d\"") != svg.npos);
  CHECK(svg.find("nan") == svg.npos);
}

TEST_CASE("an empty boot has a plot, too", "[cli][boot]") {
  const std::string svg = plot_text(BootRecord{}, "");
  CHECK(svg.find("nan") == svg.npos);
  CHECK(svg.find("inf") == svg.npos);
  CHECK(svg.ends_with("</svg>\n"));
}

TEST_CASE("before the boot is over there is nothing to tell", "[cli][boot]") {
  CliWorld w;
  w.manager.reply({{"properties", {{"UserspaceTimestampMonotonic", "5"}}}});
  CHECK(w.run({"time"}) == 1);
  CHECK(w.err.text.starts_with("Bootup is not yet finished."));
}

TEST_CASE("systemd-analyze is time, and has no verbs but those of the boot", "[cli][boot]") {
  CliWorld w;
  w.manager.reply(
      {{"properties",
        {{"UserspaceTimestampMonotonic", "1000000"}, {"FinishTimestampMonotonic", "1296000"}}}});
  w.manager.reply({{"unit", "multi-user.target"}});
  w.manager.reply(properties_reply({{{"ActiveEnterTimestampMonotonic", "1275000"}}}));
  CHECK(w.run({}, "systemd-analyze") == 0);
  CHECK(w.out.text ==
        "Startup finished in 296ms (userspace)\n"
        "multi-user.target reached after 275ms in userspace\n");
  CHECK(w.run({"start", "a.service"}, "systemd-analyze") == 1);
  CHECK(w.err.text == "Unknown command verb start.\n");
}
