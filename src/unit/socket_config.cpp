#include "unit/socket_config.h"

namespace onset {

std::string to_string(const ListenAddress& listen) {
  switch (listen.kind) {
    case ListenKind::Stream:
    case ListenKind::Datagram:
    case ListenKind::SequentialPacket:
      return to_string(listen.socket);
    case ListenKind::Netlink:
      return to_string(listen.netlink);
    case ListenKind::Fifo:
    case ListenKind::Special:
    case ListenKind::MessageQueue:
      return listen.path;
  }
  return {};
}

std::string_view to_string(ListenKind kind) {
  switch (kind) {
    case ListenKind::Stream:
      return "Stream";
    case ListenKind::Datagram:
      return "Datagram";
    case ListenKind::SequentialPacket:
      return "SequentialPacket";
    case ListenKind::Fifo:
      return "FIFO";
    case ListenKind::Special:
      return "Special";
    case ListenKind::Netlink:
      return "Netlink";
    case ListenKind::MessageQueue:
      return "MessageQueue";
  }
  return {};
}

bool takes_connections(const ListenAddress& listen) {
  return listen.kind == ListenKind::Stream || listen.kind == ListenKind::SequentialPacket;
}

std::string_view path_of(const ListenAddress& listen) {
  switch (listen.kind) {
    case ListenKind::Stream:
    case ListenKind::Datagram:
    case ListenKind::SequentialPacket:
      return listen.socket.kind == AddressKind::Path ? std::string_view(listen.socket.name)
                                                     : std::string_view{};
    case ListenKind::Fifo:
    case ListenKind::Special:
      return listen.path;
    case ListenKind::Netlink:
    case ListenKind::MessageQueue:
      break;
  }
  return {};
}

}  // namespace onset
