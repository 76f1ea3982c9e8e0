// The sections of the types that onset can't start yet: [Socket], [Timer],
// [Path], [Scope]. Known, so that what is
// misspelt in them is told all the same.

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

constexpr std::string_view kBindIpv6[] = {"default", "both", "ipv6-only"};
constexpr std::string_view kProtocol[] = {"udplite", "sctp"};
constexpr std::string_view kTos[] = {"low-delay", "throughput", "reliability", "low-cost"};
constexpr std::string_view kTimestamping[] = {"off", "us", "usec", "µs", "μs", "ns", "nsec"};

std::string check_tos(ParseContext& context, std::string_view value) {
  return parse_unsigned(value, 255) ? std::string{} : check_word<kTos>(context, value);
}
/// Paths, ports, addresses: whoever opens the socket takes them apart.
std::string check_listen(ParseContext& context, std::string_view value) {
  return check_text(context, value);
}
std::string check_exec(ParseContext& context, std::string_view value) {
  auto commands = parse_exec_line(value, context.scope);
  return commands ? std::string{} : std::move(commands).error();
}

constexpr Directive in(Section section, std::string_view name, ParseFn check,
                       std::string_view help) {
  return not_yet(section, name, check, help);
}
constexpr Directive socket(std::string_view name, ParseFn check, std::string_view help) {
  return not_yet(Section::Socket, name, check, help);
}
constexpr Directive timer(std::string_view name, ParseFn check, std::string_view help) {
  return not_yet(Section::Timer, name, check, help);
}

constexpr Directive kRows[] = {
    socket("ListenStream", check_listen, "A stream socket: path, port or address."),
    socket("ListenDatagram", check_listen, "A datagram socket."),
    socket("ListenSequentialPacket", check_listen, "A sequential-packet socket."),
    socket("ListenFIFO", check_path, "A FIFO."),
    socket("ListenSpecial", check_path, "A special file."),
    socket("ListenNetlink", check_listen, "A netlink family and group."),
    socket("ListenMessageQueue", check_listen, "A POSIX message queue."),
    socket("ListenUSBFunction", check_path, "A USB FunctionFS mount point."),
    socket("SocketProtocol", check_word<kProtocol>, "Another protocol than the kind's own."),
    socket("BindIPv6Only", check_bool_or_word<kBindIpv6>, "Whether [::] takes IPv4 as well."),
    socket("Backlog", check_unsigned, "How many connections may wait."),
    socket("BindToDevice", check_text, "The network interface to listen on."),
    socket("ExecStopPre", check_exec, "Commands that are run before the sockets are closed."),
    socket("SocketUser", check_user, "Owner of socket files."),
    socket("SocketGroup", check_user, "Group of socket files."),
    socket("SocketMode", check_mode, "Mode of socket files."),
    socket("DirectoryMode", check_mode, "Mode of directories made for them."),
    socket("Accept", check_bool, "One service instance for each connection."),
    socket("Writable", check_bool, "Open special files for writing too."),
    socket("FlushPending", check_bool, "Throw away what is unread when the service ends."),
    socket("MaxConnections", check_unsigned, "How many such instances at once."),
    socket("MaxConnectionsPerSource", check_unsigned, "How many of one source."),
    socket("KeepAlive", check_bool, "TCP keep-alive."),
    socket("KeepAliveTimeSec", check_span, "Idle time before the first probe."),
    socket("KeepAliveIntervalSec", check_span, "Time between probes."),
    socket("KeepAliveProbes", check_unsigned, "How many before giving up."),
    socket("DeferAcceptSec", check_span, "Wait for data before a connection counts."),
    socket("NoDelay", check_bool, "TCP without Nagle's algorithm."),
    socket("Priority", check_integer<INT32_MIN, INT32_MAX>, "Priority of its packets."),
    socket("ReceiveBuffer", check_size, "Size of the receive buffer."),
    socket("SendBuffer", check_size, "Size of the send buffer."),
    socket("IPTOS", check_tos, "IP type of service."),
    socket("IPTTL", check_integer<1, 255>, "IP time to live."),
    socket("Mark", check_integer<INT32_MIN, INT32_MAX>, "Firewall mark of its packets."),
    socket("PipeSize", check_size, "Size of a FIFO's buffer."),
    socket("FreeBind", check_bool, "Bind addresses that do not exist yet."),
    socket("Transparent", check_bool, "Transparent proxying."),
    socket("Broadcast", check_bool, "Allow broadcasts."),
    socket("PassCredentials", check_bool, "Messages come with their sender's credentials."),
    socket("PassSecurity", check_bool, "Messages come with their sender's security context."),
    socket("PassPacketInfo", check_bool, "Messages come with their packet's addresses."),
    socket("Timestamping", check_word<kTimestamping>, "Messages come with time stamps."),
    socket("TCPCongestion", check_text, "TCP congestion control algorithm."),
    socket("ReusePort", check_bool, "Several sockets may have one port."),
    socket("MessageQueueMaxMessages", check_integer<0, INT64_MAX>, "Messages in a queue."),
    socket("MessageQueueMessageSize", check_integer<0, INT64_MAX>, "Size of each."),
    socket("RemoveOnStop", check_bool, "Remove socket files on stop."),
    socket("Symlinks", check_paths, "Links to a socket file."),
    socket("FileDescriptorName", check_text, "The name that the service sees."),
    socket("Service", check_unit_name, "The service that is started."),
    socket("TriggerLimitIntervalSec", check_span, "Over which time activations are counted."),
    socket("TriggerLimitBurst", check_unsigned, "How many are allowed in that time."),
    socket("SmackLabel", check_text, "SMACK label of a FIFO."),
    socket("SmackLabelIPIn", check_text, "SMACK label of incoming packets."),
    socket("SmackLabelIPOut", check_text, "SMACK label of outgoing packets."),
    socket("SELinuxContextFromNet", check_bool, "The service's context comes from the peer."),

    timer("OnCalendar", check_text, "Wall-clock times."),
    timer("OnActiveSec", check_span, "Time since the timer was activated."),
    timer("OnBootSec", check_span, "Time since the boot."),
    timer("OnStartupSec", check_span, "Time since the manager's start."),
    timer("OnUnitActiveSec", check_span, "Time since the unit was last activated."),
    timer("OnUnitInactiveSec", check_span, "Time since the unit was last deactivated."),
    timer("OnClockChange", check_bool, "When the clock is set."),
    timer("OnTimezoneChange", check_bool, "When the time zone changes."),
    timer("Persistent", check_bool, "Catch up on what was missed while off."),
    timer("WakeSystem", check_bool, "Wake the machine from sleep."),
    timer("RemainAfterElapse", check_bool, "Stay loaded when it has elapsed."),
    timer("FixedRandomDelay", check_bool, "The same random delay every time."),
    timer("AccuracySec", check_span, "How late it may be, to share wake-ups."),
    timer("RandomizedDelaySec", check_span, "A random delay of up to this."),
    timer("Unit", check_unit_name, "The unit that is started."),

    in(Section::Path, "PathExists", check_path, "A path that exists."),
    in(Section::Path, "PathExistsGlob", check_path, "A path that matches exists."),
    in(Section::Path, "PathChanged", check_path, "A file that was written and closed."),
    in(Section::Path, "PathModified", check_path, "A file that was written."),
    in(Section::Path, "DirectoryNotEmpty", check_path, "A directory with entries."),
    in(Section::Path, "Unit", check_unit_name, "The unit that is started."),
    in(Section::Path, "MakeDirectory", check_bool, "Make the directories first."),
    in(Section::Path, "DirectoryMode", check_mode, "Their mode."),
    in(Section::Path, "TriggerLimitIntervalSec", check_span,
       "Over which time activations are counted."),
    in(Section::Path, "TriggerLimitBurst", check_unsigned, "How many are allowed in that time."),

    socket("ExecStartPre", check_exec, "Commands that are run before the sockets are opened."),
    socket("ExecStartPost", check_exec, "Commands that are run when they are open."),
    socket("ExecStopPost", check_exec, "Commands that are run when they are closed."),
    socket("TimeoutSec", check_span, "How long these commands may take."),

    in(Section::Scope, "RuntimeMaxSec", check_span, "How long the scope may be active."),
    in(Section::Scope, "RuntimeRandomizedExtraSec", check_span,
       "A random time of up to this is added to it."),
    in(Section::Scope, "TimeoutStopSec", check_span, "How long each step of a stop may take."),
    in(Section::Scope, "OOMPolicy", check_word<EnumWords<OomPolicy>::words>,
       "What happens when the kernel kills a process for want of memory."),
};

}  // namespace

std::span<const Directive> other_directives() {
  return kRows;
}

}  // namespace onset
