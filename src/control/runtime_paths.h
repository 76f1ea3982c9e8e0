#pragma once
// Where a manager keeps its sockets and a client looks for them, in this order.

#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// Folders, best first. A system manager: /run/onset, or what its user may write.
/// `xdg_runtime_dir` is empty if unset. Whoever uses one checks that root or
/// `uid` owns it.
std::vector<std::string> runtime_directory_candidates(bool user_manager, unsigned uid,
                                                      std::string_view xdg_runtime_dir);

inline constexpr std::string_view kControlSocketName = "control";
inline constexpr std::string_view kNotifySocketName = "notify";

}  // namespace onset
