// [Socket], systemd.socket(5).

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/exec_parsers.h"

namespace onset {
namespace {

using C = SocketConfig;
using K = ListenKind;
using R = ExecRole;

// ---- Listen…= ---------------------------------------------------------------

Parsed<ListenAddress> listen_address(ListenKind kind, std::string_view text) {
  ListenAddress listen;
  listen.kind = kind;
  if (kind == K::Netlink) {
    auto netlink = parse_netlink_address(text);
    if (!netlink) return Failure{std::move(netlink).error()};
    listen.netlink = *netlink;
    return listen;
  }
  auto socket = parse_socket_address(text);
  if (!socket) return Failure{std::move(socket).error()};
  listen.socket = std::move(*socket);
  const bool is_unix =
      listen.socket.kind == AddressKind::Path || listen.socket.kind == AddressKind::Abstract;
  if (kind == K::SequentialPacket && !is_unix)
    return Failure{std::string("a path or an @NAME, others have no sequential packets")};
  if (kind == K::Datagram && listen.socket.kind == AddressKind::Vsock)
    return Failure{std::string("an address that has datagrams")};
  return listen;
}

template <ListenKind Kind>
std::string parse_listen(ParseContext& context, std::string_view value) {
  auto& list = config_of<SocketConfig>(context.unit).listen;
  if (value.empty()) {  // all of them, of every kind
    list.clear();
    return {};
  }
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  if (text->starts_with('/')) {
    auto path = expand_runtime_path(context, value);
    if (!path) return std::move(path).error();
    text = std::move(path);
  }
  auto listen = listen_address(Kind, *text);
  if (!listen) return std::move(listen).error();
  list.push_back(std::move(*listen));
  return {};
}

template <ListenKind Kind>
std::string parse_listen_path(ParseContext& context, std::string_view value) {
  auto& list = config_of<SocketConfig>(context.unit).listen;
  if (value.empty()) {
    list.clear();
    return {};
  }
  auto path = expand_runtime_path(context, value);
  if (!path) return std::move(path).error();
  ListenAddress listen;
  listen.kind = Kind;
  listen.path = std::move(*path);
  if (Kind == K::MessageQueue && listen.path.find('/', 1) != std::string::npos)
    return "the name of a queue, \"/NAME\"";
  list.push_back(std::move(listen));
  return {};
}

/// All of them, one a line: it is the property of one name, whatever the kinds are.
std::string show_listen(const Unit& unit) {
  std::string text;
  for (const ListenAddress& listen : config_of<SocketConfig>(unit).listen) {
    if (!text.empty()) text += '\n';
    text += format("{} ({})", to_string(listen), to_string(listen.kind));
  }
  return text;
}

// ---- values of its own ------------------------------------------------------

template <std::string C::*Member>
std::string parse_owner(ParseContext& context, std::string_view value) {
  if (std::string problem = check_user(context, value); !problem.empty()) return problem;
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  config_of<SocketConfig>(context.unit).*Member = std::move(*name);
  return {};
}

template <auto Member>
std::string show_mode(const Unit& unit) {
  return format("{:04o}", static_cast<unsigned>(member_of<Member>(unit)));
}

/// A boolean stands for both and ipv6-only, the other way round.
std::string parse_bind_ipv6(ParseContext& context, std::string_view value) {
  auto& bind = config_of<SocketConfig>(context.unit).bind_ipv6;
  if (const auto word = from_string<BindIpv6>(value)) {
    bind = *word;
  } else if (const auto only = parse_bool(value)) {
    bind = *only ? BindIpv6::Ipv6Only : BindIpv6::Both;
  } else {
    return expected_words<BindIpv6>();
  }
  return {};
}

std::string parse_protocol(ParseContext& context, std::string_view value) {
  const auto protocol = from_string<SocketProtocol>(value);
  if (!protocol) return "udplite or sctp";
  config_of<SocketConfig>(context.unit).protocol = *protocol;
  return {};
}

std::string parse_timestamping(ParseContext& context, std::string_view value) {
  auto& member = config_of<SocketConfig>(context.unit).timestamping;
  if (value == "off") {
    member = Timestamping::Off;
  } else if (value == "us" || value == "usec" || value == "µs" || value == "μs") {
    member = Timestamping::Us;
  } else if (value == "ns" || value == "nsec") {
    member = Timestamping::Ns;
  } else {
    return "off, us or ns";
  }
  return {};
}

/// ip(7), IP_TOS.
Parsed<int> parse_tos(std::string_view text) {
  if (text == "low-delay") return 0x10;
  if (text == "throughput") return 0x08;
  if (text == "reliability") return 0x04;
  if (text == "low-cost") return 0x02;
  const auto number = parse_unsigned(text, 255);
  if (!number) return Failure{std::string("low-delay, throughput, reliability, low-cost or 0-255")};
  return static_cast<int>(*number);
}

template <int Lowest, int Highest>
Parsed<int> parse_number(std::string_view text) {
  auto number = parse_int(text, Lowest, Highest);
  if (!number) return Failure{std::move(number).error()};
  return static_cast<int>(*number);
}
Parsed<std::int64_t> parse_count(std::string_view text) {
  return parse_int(text, 0, INT64_MAX);
}
Parsed<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_size(text);
}

std::string parse_symlinks(ParseContext& context, std::string_view value) {
  auto& list = config_of<SocketConfig>(context.unit).symlinks;
  if (value.empty()) {
    list.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (std::string& word : *words) {
    auto path = expand_path(context, word);
    if (!path) return format("{}, not \"{}\"", path.error(), c_escape(word));
    word = std::move(*path);
  }
  list.insert(list.end(), std::make_move_iterator(words->begin()),
              std::make_move_iterator(words->end()));
  return {};
}

/// sd_listen_fds(3): printable, without a colon.
std::string parse_fd_name(ParseContext& context, std::string_view value) {
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  const bool is_good = name->size() <= 255 && std::all_of(name->begin(), name->end(), [](char c) {
                         return !is_control(c) && static_cast<unsigned char>(c) < 0x80 && c != ':';
                       });
  if (!is_good) return "a name of at most 255 printable characters without \":\"";
  config_of<SocketConfig>(context.unit).fd_name = std::move(*name);
  return {};
}

std::string parse_service(ParseContext& context, std::string_view value) {
  if (std::string problem = check_unit_name(context, value); !problem.empty()) return problem;
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  if (unit_type_of(*name) != UnitType::Service) return "the name of a service";
  config_of<SocketConfig>(context.unit).service = std::move(*name);
  return {};
}

template <ExecRole Role>
std::string parse_exec(ParseContext& context, std::string_view value) {
  return parse_exec_commands(
      context, value, config_of<SocketConfig>(context.unit).exec[static_cast<unsigned>(Role)]);
}
template <ExecRole Role>
std::string show_exec(const Unit& unit) {
  return show_exec_commands(config_of<SocketConfig>(unit).commands(Role));
}
template <ExecRole Role>
constexpr Codec kExec{parse_exec<Role>, show_exec<Role>};

template <auto Member, auto Parse>
constexpr Codec kOptional{parse_or_reset<Member, Parse>, show_member<Member>};
template <auto Member>
constexpr Codec kMode{parse_into<Member, parse_mode>, show_mode<Member>};
constexpr Codec without_show(ParseFn parse) {
  return {parse, nullptr};
}

// ---- the rows ---------------------------------------------------------------

constexpr Directive socket(std::string_view name, Codec codec, std::string_view help,
                           std::string_view property = {}) {
  return honoured(Section::Socket, name, codec, help, property);
}
constexpr Directive ignored(std::string_view name, ParseFn check, std::string_view help) {
  return not_yet(Section::Socket, name, check, help);
}

constexpr Directive kRows[] = {
    socket("ListenStream", {parse_listen<K::Stream>, show_listen},
           "A stream socket: path, port or address.", "Listen"),
    socket("ListenDatagram", without_show(parse_listen<K::Datagram>), "A datagram socket."),
    socket("ListenSequentialPacket", without_show(parse_listen<K::SequentialPacket>),
           "A sequential-packet socket."),
    socket("ListenFIFO", without_show(parse_listen_path<K::Fifo>), "A FIFO."),
    socket("ListenSpecial", without_show(parse_listen_path<K::Special>), "A special file."),
    socket("ListenNetlink", without_show(parse_listen<K::Netlink>), "A netlink family and group."),
    socket("ListenMessageQueue", without_show(parse_listen_path<K::MessageQueue>),
           "A POSIX message queue."),
    ignored("ListenUSBFunction", check_path, "A USB FunctionFS mount point."),
    socket("SocketProtocol", {parse_protocol, show_member<&C::protocol>},
           "Another protocol than the kind's own."),
    socket("BindIPv6Only", {parse_bind_ipv6, show_member<&C::bind_ipv6>},
           "Whether [::] takes IPv4 as well."),
    socket("Backlog", kOptional<&C::backlog, unsigned_up_to<UINT32_MAX>>,
           "How many connections may wait."),
    socket("BindToDevice", kText<&C::bind_to_device>, "The network interface to listen on."),
    socket("SocketUser", {parse_owner<&C::user>, show_member<&C::user>}, "Owner of socket files."),
    socket("SocketGroup", {parse_owner<&C::group>, show_member<&C::group>},
           "Group of socket files."),
    socket("SocketMode", kMode<&C::mode>, "Mode of socket files."),
    socket("DirectoryMode", kMode<&C::directory_mode>, "Mode of directories made for them."),
    socket("Accept", kBool<&C::accept>, "One service instance for each connection."),
    socket("Writable", kBool<&C::writable>, "Open special files for writing too."),
    socket("FlushPending", kBool<&C::flush_pending>,
           "Throw away what is unread when the service ends."),
    socket("MaxConnections", kUnsigned<&C::max_connections>, "How many such instances at once."),
    socket("MaxConnectionsPerSource", kUnsigned<&C::max_connections_per_source>,
           "How many of one source."),
    socket("KeepAlive", kBool<&C::keep_alive>, "TCP keep-alive."),
    socket("KeepAliveTimeSec", kOptional<&C::keep_alive_time, span_of_seconds>,
           "Idle time before the first probe.", "KeepAliveTimeUSec"),
    socket("KeepAliveIntervalSec", kOptional<&C::keep_alive_interval, span_of_seconds>,
           "Time between probes.", "KeepAliveIntervalUSec"),
    socket("KeepAliveProbes", kOptional<&C::keep_alive_probes, unsigned_up_to<UINT32_MAX>>,
           "How many before giving up."),
    socket("DeferAcceptSec", kOptional<&C::defer_accept, span_of_seconds>,
           "Wait for data before a connection counts.", "DeferAcceptUSec"),
    socket("NoDelay", kBool<&C::no_delay>, "TCP without Nagle's algorithm."),
    socket("Priority", kOptional<&C::priority, parse_number<INT32_MIN, INT32_MAX>>,
           "Priority of its packets."),
    socket("ReceiveBuffer", kOptional<&C::receive_buffer, parse_bytes>,
           "Size of the receive buffer."),
    socket("SendBuffer", kOptional<&C::send_buffer, parse_bytes>, "Size of the send buffer."),
    socket("IPTOS", kOptional<&C::ip_tos, parse_tos>, "IP type of service."),
    socket("IPTTL", kOptional<&C::ip_ttl, parse_number<1, 255>>, "IP time to live."),
    socket("Mark", kOptional<&C::mark, parse_number<INT32_MIN, INT32_MAX>>,
           "Firewall mark of its packets."),
    socket("PipeSize", kOptional<&C::pipe_size, parse_bytes>, "Size of a FIFO's buffer."),
    socket("FreeBind", kBool<&C::free_bind>, "Bind addresses that do not exist yet."),
    socket("Transparent", kBool<&C::transparent>, "Transparent proxying."),
    socket("Broadcast", kBool<&C::broadcast>, "Allow broadcasts."),
    socket("PassCredentials", kBool<&C::pass_credentials>,
           "Messages come with their sender's credentials."),
    socket("PassSecurity", kBool<&C::pass_security>,
           "Messages come with their sender's security context."),
    socket("PassPacketInfo", kBool<&C::pass_packet_info>,
           "Messages come with their packet's addresses."),
    socket("Timestamping", {parse_timestamping, show_member<&C::timestamping>},
           "Messages come with time stamps."),
    socket("TCPCongestion", kText<&C::tcp_congestion>, "TCP congestion control algorithm."),
    socket("ReusePort", kBool<&C::reuse_port>, "Several sockets may have one port."),
    socket("MessageQueueMaxMessages", kOptional<&C::queue_messages, parse_count>,
           "Messages in a queue."),
    socket("MessageQueueMessageSize", kOptional<&C::queue_message_size, parse_count>,
           "Size of each."),
    socket("RemoveOnStop", kBool<&C::remove_on_stop>, "Remove socket files on stop."),
    socket("Symlinks", {parse_symlinks, show_words<&C::symlinks, WordFlags::Unquote>},
           "Links to a socket file."),
    socket("FileDescriptorName", {parse_fd_name, show_member<&C::fd_name>},
           "The name that the service sees."),
    socket("Service", without_show(parse_service), "The service that is started."),
    socket("TriggerLimitIntervalSec", kOptional<&C::trigger_limit_interval, span_of_seconds>,
           "Over which time activations are counted.", "TriggerLimitIntervalUSec"),
    socket("TriggerLimitBurst", kOptional<&C::trigger_limit_burst, unsigned_up_to<UINT32_MAX>>,
           "How many are allowed in that time."),
    ignored("SmackLabel", check_text, "SMACK label of a FIFO."),
    ignored("SmackLabelIPIn", check_text, "SMACK label of incoming packets."),
    ignored("SmackLabelIPOut", check_text, "SMACK label of outgoing packets."),
    not_yet(Section::Socket, "SELinuxContextFromNet", check_bool,
            "The service's context comes from the peer.", "no"),

    socket("ExecStartPre", kExec<R::StartPre>,
           "Commands that are run before the sockets are opened."),
    socket("ExecStartPost", kExec<R::StartPost>, "Commands that are run when they are open."),
    socket("ExecStopPre", kExec<R::Stop>, "Commands that are run before the sockets are closed."),
    socket("ExecStopPost", kExec<R::StopPost>, "Commands that are run when they are closed."),
    socket("TimeoutSec", kTimeout<&C::timeout>, "How long these commands may take.", "TimeoutUSec"),
};

}  // namespace

std::span<const Directive> socket_directives() {
  return kRows;
}

}  // namespace onset
