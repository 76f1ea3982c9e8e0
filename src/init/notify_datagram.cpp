#include "init/notify_datagram.h"

#include <algorithm>
#include <cstring>

namespace onset {
namespace {

constexpr std::size_t kHeader = CMSG_LEN(0);

void take_credentials(std::string_view data, NotifyAncillary& found) noexcept {
  ucred sender{};
  if (data.size() != sizeof sender) return;
  std::memcpy(&sender, data.data(), sizeof sender);
  found.pid = sender.pid;
  found.uid = sender.uid;
}

void take_descriptors(std::string_view data, NotifyAncillary& found) noexcept {
  const std::size_t room = found.descriptors.size() - found.descriptor_count;
  const std::size_t count = std::min(data.size() / sizeof(int), room);
  if (count == 0) return;
  std::memcpy(found.descriptors.data() + found.descriptor_count, data.data(), count * sizeof(int));
  found.descriptor_count += count;
}

}  // namespace

NotifyAncillary read_notify_ancillary(std::string_view control) noexcept {
  NotifyAncillary found;
  while (control.size() >= kHeader) {
    cmsghdr header{};
    std::memcpy(&header, control.data(), sizeof header);
    if (header.cmsg_len < kHeader) break;
    // Descriptors that were given are there, whatever came of the rest.
    const std::size_t end = std::min(std::size_t{header.cmsg_len}, control.size());
    const std::string_view data = control.substr(kHeader, end - kHeader);
    if (header.cmsg_level == SOL_SOCKET) {
      if (header.cmsg_type == SCM_CREDENTIALS) take_credentials(data, found);
      if (header.cmsg_type == SCM_RIGHTS) take_descriptors(data, found);
    }
    control.remove_prefix(std::min(CMSG_ALIGN(end), control.size()));
  }
  return found;
}

std::string_view notify_text(std::string_view bytes, int flags) noexcept {
  if ((flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || bytes.size() > kNotifyMax) return {};
  // A NUL in the middle is not text.
  const std::size_t nul = bytes.find('\0');
  if (nul != std::string_view::npos && nul + 1 != bytes.size()) return {};
  return bytes.substr(0, nul);
}

}  // namespace onset
