#pragma once
// The settings of systemd.socket(5) that are socket options: socket(7), ip(7), ipv6(7), tcp(7).
// One that the kernel refuses is told in `losses`, and the socket is there without it.

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "unit/socket_config.h"

namespace onset {

void set_options_before_bind(BorrowedFd fd, int family, const ListenAddress& listen,
                             const SocketConfig& config, std::vector<std::string>& losses);
void set_socket_options(BorrowedFd fd, int family, const SocketConfig& config,
                        std::vector<std::string>& losses);

}  // namespace onset
