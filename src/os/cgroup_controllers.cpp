// The controllers of the tree: which are on where, and the files they bring.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "os/cgroup.h"
#include "os/grace_periods.h"
#include "os/kernel.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

std::string file_in(const std::string& group, std::string_view file) {
  return group.empty() ? std::string(file) : format("{}/{}", group, file);
}

/// "+memory +pids"
std::string switch_text(ControllerSet set, char sign) {
  std::string text;
  for (const Controller c : kControllers) {
    if ((set & set_of(c)) == 0) continue;
    if (!text.empty()) text += ' ';
    text += sign;
    text += controller_name(c);
  }
  return text;
}

}  // namespace

/// All at once, and one by one where that is refused: one that can't be had must not
/// take the others with it.
ControllerSet CgroupTree::enable_in(const std::string& group, ControllerSet wanted) {
  const std::string file = file_in(group, "cgroup.subtree_control");
  const auto on = [&](ControllerSet set) {
    const ExpeditedGracePeriods expedited(root_);
    return write_kernel_file_at(root_, file.c_str(), switch_text(set, '+'));
  };
  if (on(wanted)) return wanted;
  ControllerSet enabled = 0;
  for (std::size_t i = 0; i < kControllers.size(); ++i) {
    const ControllerSet one = set_of(kControllers[i]);
    if ((wanted & one) == 0) continue;
    if (auto done = on(one)) {
      enabled = static_cast<ControllerSet>(enabled | one);
    } else {
      refusals_[i] = done.error().err;
    }
  }
  return enabled;
}

ControllerSet CgroupTree::enable(const std::string& path, ControllerSet wanted) {
  wanted = static_cast<ControllerSet>(wanted & available_);
  const auto step = [&](const std::string& group, ControllerSet& enabled) {
    const auto missing = static_cast<ControllerSet>(wanted & ~enabled);
    if (missing == 0) return;
    enabled = static_cast<ControllerSet>(enabled | enable_in(group, missing));
    wanted = static_cast<ControllerSet>(wanted & enabled);
  };
  step({}, at_root_);
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    const auto slice = made_.find(path.substr(0, at));
    if (slice == made_.end()) break;  // a unit's own: below it nothing is ours
    step(slice->first, slice->second);
  }
  return wanted;
}

void CgroupTree::disable(const std::string& slice, ControllerSet unwanted) {
  const auto made = made_.find(slice);
  ControllerSet* enabled = slice.empty() ? &at_root_ : nullptr;
  if (made != made_.end()) enabled = &made->second;
  if (enabled == nullptr) return;
  unwanted = static_cast<ControllerSet>(unwanted & *enabled);
  if (unwanted == 0) return;
  const std::string file = file_in(slice, "cgroup.subtree_control");
  // Where it is in use below it stays, as the manual says.
  if (write_kernel_file_at(root_, file.c_str(), switch_text(unwanted, '-'))) {
    *enabled = static_cast<ControllerSet>(*enabled & ~unwanted);
  }
}

std::string CgroupTree::why_not(Controller controller) const {
  if ((available_ & set_of(controller)) == 0) {
    return format("no {} controller", controller_name(controller));
  }
  for (std::size_t i = 0; i < kControllers.size(); ++i) {
    if (kControllers[i] == controller && refusals_[i] != 0) {
      return format("{} controller: {}", controller_name(controller), errno_text(refusals_[i]));
    }
  }
  return format("the {} controller is disabled", controller_name(controller));
}

SysResult CgroupTree::write(const std::string& path, std::string_view file,
                            std::string_view text) const {
  return write_kernel_file_at(root_, file_in(path, file).c_str(), text);
}

SysResult CgroupTree::give_away(const std::string& path, uid_t uid, gid_t gid) const {
  for (const char* file : {"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}) {
    if (auto done = give_away_file(path, file, uid, gid); !done) return done;
  }
  return {};
}

SysResult CgroupTree::give_away_file(const std::string& path, const char* file, uid_t uid,
                                     gid_t gid) const {
  const std::string name = *file == 0 ? path : file_in(path, file);
  if (::fchownat(root_.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return Failure{SysError{"chown", errno}};
  }
  return {};
}

}  // namespace onset
