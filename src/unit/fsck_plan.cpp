#include "unit/fsck_plan.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/kernel_command_line.h"

namespace onset {
namespace {

constexpr int kCorrected = 1;
constexpr int kShouldReboot = 2;
constexpr int kLeftUncorrected = 4;

struct Bit {
  int bit;
  std::string_view words;
};
constexpr Bit kBits[] = {
    {kCorrected, "errors were corrected"},
    {kShouldReboot, "the system should be rebooted"},
    {kLeftUncorrected, "errors are left uncorrected"},
    {8, "operational error"},
    {16, "usage or syntax error"},
    {32, "canceled by request"},
    {128, "shared-library error"},
};

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};
constexpr Word<FsckMode> kModes[] = {
    {"auto", FsckMode::Auto}, {"force", FsckMode::Force}, {"skip", FsckMode::Skip}};
constexpr Word<FsckRepair> kRepairs[] = {
    {"preen", FsckRepair::Preen}, {"yes", FsckRepair::Yes}, {"no", FsckRepair::No}};

template <class Value, std::size_t N>
void take(const KernelArgument& argument, const Word<Value> (&words)[N], Value& to,
          Diagnostics& diagnostics) {
  for (const Word<Value>& w : words) {
    if (argument.value && *argument.value == w.word) {
      to = w.value;
      return;
    }
  }
  std::string expected;
  for (const Word<Value>& w : words)
    expected += format("{}{}", expected.empty() ? "" : ", ", w.word);
  diagnostics.push_back({Severity::Warning, "kernel command line", 0,
                         format("{} needs one of {}, ignored", c_escape(argument.text), expected)});
}

}  // namespace

FsckWishes fsck_wishes(std::string_view command_line, Diagnostics& diagnostics) {
  FsckWishes wishes;
  for (const KernelArgument& argument : split_kernel_command_line(command_line)) {
    if (argument.name == "fsck.mode") take(argument, kModes, wishes.mode, diagnostics);
    if (argument.name == "fsck.repair") take(argument, kRepairs, wishes.repair, diagnostics);
    if (argument.text == "fastboot") wishes.mode = FsckMode::Skip;
    if (argument.text == "forcefsck") wishes.mode = FsckMode::Force;
  }
  return wishes;
}

std::vector<std::string> fsck_arguments(const FsckWishes& wishes, const FsckTarget& target) {
  std::vector<std::string> arguments{"fsck"};
  switch (wishes.repair) {
    case FsckRepair::Preen:
      arguments.emplace_back("-a");
      break;
    case FsckRepair::Yes:
      arguments.emplace_back("-y");
      break;
    case FsckRepair::No:
      arguments.emplace_back("-n");
      break;
  }
  arguments.emplace_back("-T");
  // The root is mounted, read-only, and holds the programs: it is checked all the same, alone.
  if (!target.is_root) {
    arguments.emplace_back("-l");
    arguments.emplace_back("-M");
  }
  if (wishes.mode == FsckMode::Force) arguments.emplace_back("-f");
  arguments.push_back(target.device);
  return arguments;
}

FsckVerdict judge_fsck(int status, bool is_root) {
  if (status < 0) return FsckVerdict::Failed;
  if ((status & ~kCorrected) == 0) return FsckVerdict::Good;
  if ((status & kShouldReboot) != 0 && is_root) return FsckVerdict::RebootWanted;
  if ((status & (kShouldReboot | kLeftUncorrected)) != 0) return FsckVerdict::Failed;
  return FsckVerdict::Ignored;
}

std::string fsck_words(int status) {
  if (status < 0) return format("ended by signal {}", -status);
  std::string words;
  for (const Bit& b : kBits) {
    if ((status & b.bit) != 0) words += format("{}{}", words.empty() ? "" : ", ", b.words);
  }
  return words.empty() ? std::string("clean") : words;
}

}  // namespace onset
