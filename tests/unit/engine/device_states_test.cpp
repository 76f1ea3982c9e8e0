// The table of devices in docs/states.md, made by running step() and the manager.
#include <catch2/catch.hpp>

#include <array>

#include "base/format.h"
#include "engine/device.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

constexpr std::string_view kMaker = "device_states_test";

struct Happening {
  std::string_view name;
  DeviceChanged event;
};
constexpr std::array kHappenings{
    Happening{"plugged", {DeviceSource::Plugged, true}},
    Happening{"unplugged", {DeviceSource::Plugged, false}},
    Happening{"mounted or swapped to", {DeviceSource::Used, true}},
    Happening{"no longer", {DeviceSource::Used, false}},
};

DeviceState state_in(DevicePhase phase, bool is_used) {
  DeviceState s;
  s.phase = phase;
  s.is_plugged = phase == DevicePhase::Plugged;
  s.is_used = is_used;
  return s;
}

std::string table() {
  std::string out = "| phase | in use | event | next |\n|---|---|---|---|\n";
  for (unsigned p = 0; p < kDevicePhases; ++p) {
    const auto phase = static_cast<DevicePhase>(p);
    for (const bool is_used : {false, true}) {
      if (phase == DevicePhase::Tentative && !is_used) continue;
      for (const Happening& h : kHappenings) {
        const DeviceState after = step(state_in(phase, is_used), h.event);
        if (after.phase == phase) continue;
        out += format("| {} | {} | {} | {} |\n", to_string(phase), is_used ? "yes" : "no", h.name,
                      to_string(after.phase));
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("docs/states.md shows the states of a device as they are", "[engine][device]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its devices anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its devices anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

TEST_CASE("a device that is told of again stays as it is", "[engine][device]") {
  for (unsigned p = 0; p < kDevicePhases; ++p) {
    for (const bool is_used : {false, true}) {
      for (const Happening& h : kHappenings) {
        const DeviceState once = step(state_in(static_cast<DevicePhase>(p), is_used), h.event);
        CAPTURE(to_string(static_cast<DevicePhase>(p)), h.name);
        CHECK(step(once, h.event).phase == once.phase);
      }
    }
  }
}

TEST_CASE("what still uses a device that is gone makes it no device", "[engine][device]") {
  DeviceState s = step({}, {DeviceSource::Used, true});
  CHECK(s.phase == DevicePhase::Tentative);
  s = step(s, {DeviceSource::Plugged, true});
  CHECK(s.phase == DevicePhase::Plugged);
  s = step(s, {DeviceSource::Plugged, false});
  CHECK(s.phase == DevicePhase::Dead);
  CHECK(step(s, {DeviceSource::Used, false}).phase == DevicePhase::Dead);
  CHECK(step(s, {DeviceSource::Plugged, true}).phase == DevicePhase::Plugged);
}

}  // namespace onset::test
