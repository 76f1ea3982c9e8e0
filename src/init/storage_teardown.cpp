#include "init/storage_teardown.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "init/detachment.h"
#include "os/files.h"
#include "os/mount_table.h"

namespace onset {
namespace {

constexpr std::size_t kTableMax = std::size_t{4} << 20;
constexpr std::size_t kFactMax = 4096;  ///< as large as any file of sysfs says it is
/// Each round takes away what a device or a file system of the round before was built on.
constexpr int kMaxRounds = 16;
constexpr Duration kPatience = std::chrono::seconds(10);
/// What is in swap has to be read into memory.
constexpr Duration kSwapPatience = std::chrono::seconds(60);

class Teardown {
 public:
  explicit Teardown(Console& console) : console_(console) {}

  void run() {
    for (int round = 0; round < kMaxRounds && do_round(); ++round) {
    }
    give_up_the_rest();
  }

 private:
  std::vector<MountEntry> mounts() {
    const auto text = files_.read("/proc/self/mountinfo", kTableMax);
    return text ? parse_mount_table(*text) : std::vector<MountEntry>{};
  }

  /// The last one that was mounted first.
  std::vector<Detachment> mounted() {
    std::vector<Detachment> steps;
    const auto all = mounts();
    for (auto m = all.rbegin(); m != all.rend(); ++m) {
      if (!stays_mounted(*m)) steps.push_back({DetachKind::Unmount, m->path});
    }
    return steps;
  }

  std::vector<Detachment> swaps() {
    std::vector<Detachment> steps;
    const auto text = files_.read("/proc/swaps", kTableMax);
    if (!text) return steps;
    for (std::string& path : parse_swap_table(*text))
      steps.push_back({DetachKind::SwapOff, std::move(path)});
    return steps;
  }

  /// Loop devices and mappings, the youngest first.
  std::vector<Detachment> devices() {
    std::vector<Detachment> steps;
    const auto blocks = files_.list("/sys/block");
    if (!blocks) return steps;
    for (const DirectoryItem& block : *blocks) {
      const std::string folder = format("/sys/block/{}", block.name);
      if (block.name.starts_with("loop") && files_.stat(folder + "/loop/backing_file")) {
        steps.push_back({DetachKind::ClearLoop, format("/dev/{}", block.name)});
      } else if (block.name.starts_with("dm-")) {
        steps.push_back({DetachKind::RemoveMapping, block.name, device_of(folder + "/dev")});
      }
    }
    std::ranges::sort(steps, std::greater{}, &Detachment::what);
    return steps;
  }

  /// "254:3" as the kernel's interfaces pack it, new_encode_dev().
  std::uint64_t device_of(const std::string& path) {
    const auto text = files_.read(path, kFactMax);
    if (!text) return 0;
    const auto numbers = split(trim(*text), ':');
    const auto major = parse_uint<std::uint64_t>(numbers.front());
    const auto minor = parse_uint<std::uint64_t>(numbers.back());
    if (!major || !minor) return 0;
    return (*minor & 0xffU) | *major << 8U | (*minor & ~std::uint64_t{0xff}) << 12U;
  }

  /// Whether anything has gone.
  bool try_all(std::vector<Detachment> steps, Duration patience) {
    std::erase_if(steps, [&](const Detachment& s) {
      return std::ranges::find(hung_, s.what) != hung_.end();
    });
    const auto results = detach(steps, patience, [&](const Detachment& s) {
      console_.line(5, "",
                    format("{} {} takes long, waiting for it {} s at most", to_string(s.kind),
                           s.what, patience.count() / 1000000));
    });
    bool has_changed = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      has_changed |= results[i] == 0;
      if (results[i] == ETIME) {
        console_.line(4, "",
                      format("{} {} has not come to an end, going on without it",
                             to_string(steps[i].kind), steps[i].what));
        hung_.push_back(steps[i].what);
      }
      failures_.push_back({steps[i].what, to_string(steps[i].kind), results[i]});
    }
    return has_changed;
  }

  bool do_round() {
    failures_.clear();
    bool has_changed = try_all(mounted(), kPatience);
    has_changed |= try_all(swaps(), kSwapPatience);
    has_changed |= try_all(devices(), kPatience);
    return has_changed;
  }

  void give_up_the_rest() {
    for (const Failed& f : failures_) {
      if (f.err == 0 || f.err == ETIME) continue;
      console_.line(4, "", format("{} {} has failed: {}", f.doing, f.what, errno_text(f.err)));
    }
    std::vector<Detachment> writable;
    std::vector<Detachment> busy;
    const auto all = mounts();
    for (auto m = all.rbegin(); m != all.rend(); ++m) {
      if (wants_read_only(*m)) writable.push_back({DetachKind::RemountReadOnly, m->path});
      if (!stays_mounted(*m)) busy.push_back({DetachKind::UnmountLazily, m->path});
    }
    failures_.clear();
    (void)try_all(writable, kPatience);
    hung_.clear();  // what is only taken out of sight waits for nothing
    (void)try_all(busy, kPatience);
    for (const Failed& f : failures_) {
      if (f.err == 0 || f.err == ETIME) continue;
      console_.line(3, "", format("{} {} has failed: {}", f.doing, f.what, errno_text(f.err)));
    }
  }

  struct Failed {
    std::string what;
    std::string_view doing;
    int err = 0;
  };

  Console& console_;
  RealFiles files_;
  std::vector<std::string> hung_;
  std::vector<Failed> failures_;
};

}  // namespace

void tear_down_storage(Console& console) {
  Teardown(console).run();
}

}  // namespace onset
