#pragma once
// What a unit can wait for, and from when on it counts as starving. PSI of its cgroup,
// Documentation/accounting/psi.rst: the share of the last ten seconds in which some of its tasks
// waited, in hundredths of a percent.

#include <array>
#include <cstdint>
#include <string_view>

namespace onset {

enum class Scarce : std::uint8_t { Cpu, Memory, Io };
inline constexpr std::array kAllScarce = {Scarce::Cpu, Scarce::Memory, Scarce::Io};

/// For people.
constexpr std::string_view to_string(Scarce s) {
  switch (s) {
    case Scarce::Cpu:
      return "CPU";
    case Scarce::Memory:
      return "memory";
    case Scarce::Io:
      return "I/O";
  }
  return {};
}

/// As the kernel names its files: "cpu" of cpu.pressure.
constexpr std::string_view pressure_word(Scarce s) {
  switch (s) {
    case Scarce::Cpu:
      return "cpu";
    case Scarce::Memory:
      return "memory";
    case Scarce::Io:
      return "io";
  }
  return {};
}

/// Waiting for the CPU or a disk is common, waiting for memory is not.
constexpr unsigned starves_from(Scarce s) {
  constexpr unsigned kQuarter = 2500;
  constexpr unsigned kTenth = 1000;
  return s == Scarce::Memory ? kTenth : kQuarter;
}

}  // namespace onset
