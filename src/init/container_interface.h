#pragma once
// What a container manager tells PID 1, and what PID 1 tells it: the
// environment variables `container`, `container_uuid` and `NOTIFY_SOCKET`
// (systemd's CONTAINER_INTERFACE document), and what services look for in /run.

#include <string>
#include <string_view>
#include <vector>

namespace onset {

struct ContainerInterface {
  std::string kind;           ///< $container, empty if unset
  std::string uuid;           ///< $container_uuid as 32 hex digits, empty if unset or bad
  std::string notify_socket;  ///< $NOTIFY_SOCKET, empty if unset
};

ContainerInterface read_container_interface(char** environment);

/// Makes /run/systemd/system (sd_booted(3)) and, in a container,
/// /run/systemd/container. One line for each that could not be made.
std::vector<std::string> publish_booted(const ContainerInterface& interface);

}  // namespace onset
