#pragma once
// A datagram of the notify socket as recvmsg(2) leaves it: the ancillary data (cmsg(3), unix(7))
// and the bytes. Pure, so that any of both can be tried without a socket.

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "engine/notify_message.h"

namespace onset {

inline constexpr std::size_t kNotifyDescriptorsMax = 253;  ///< SCM_MAX_FD
/// Room for the credentials and as many descriptors as can come.
inline constexpr std::size_t kNotifyAncillaryMax =
    CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * kNotifyDescriptorsMax);

struct NotifyAncillary {
  pid_t pid = 0;  ///< 0: no credentials came, whole
  uid_t uid = 0;
  /// Whoever asked owns them, even if the datagram is dropped.
  std::array<int, kNotifyDescriptorsMax> descriptors{};
  std::size_t descriptor_count = 0;
};

/// Takes apart what was written into the control buffer, aligned as a cmsghdr is. What is cut
/// off or of another kind is passed over.
NotifyAncillary read_notify_ancillary(std::string_view control) noexcept;

/// What parse_notify() is to be given; empty: the datagram is to be dropped. `flags` are the
/// message's (MSG_TRUNC, MSG_CTRUNC). One trailing NUL is forgiven.
std::string_view notify_text(std::string_view bytes, int flags) noexcept;

}  // namespace onset
