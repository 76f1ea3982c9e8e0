#include "init/applet.h"

namespace onset {
namespace {

bool is_question(std::string_view word) {
  return word == "--help" || word == "-h" || word == "--version";
}

}  // namespace

Applet applet_of(std::string_view argv0, std::string_view first, std::string_view second,
                 bool is_pid1, bool is_entrypoint) {
  if (argv0 == "onset-mount" && !is_pid1) return Applet::Mount;
  if (is_entrypoint) return Applet::Entrypoint;
  // Who asks what this is does not want a machine's units to start.
  if (is_question(first == "init" ? second : first)) return Applet::CommandLine;
  const std::string_view name = argv0.substr(argv0.rfind('/') + 1);
  // "init 6", not as PID 1, is an order to the one that is.
  constexpr std::string_view kRunlevels = "0123456sSqQuU";
  const bool is_order = first.size() == 1 && kRunlevels.find(first) != kRunlevels.npos;
  if (!is_pid1 && name == "init" && is_order) return Applet::CommandLine;
  if (is_pid1 || name == "init" || first == "init") return Applet::Manager;
  if (first == "machine" && name == "onset") return Applet::Machine;
  return Applet::CommandLine;
}

}  // namespace onset
