#include "os/bpf_attach.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace onset {
namespace {

struct HookInfo {
  bpf_prog_type type;
  bpf_attach_type attach;
};

HookInfo info_of(BpfHook hook) {
  using enum BpfHook;
  switch (hook) {
    case Ingress:
      return {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS};
    case Egress:
      return {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS};
    case SockCreate:
      return {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE};
    case SockOps:
      return {BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS};
    case Device:
      return {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE};
    case Bind4:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND};
    case Bind6:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND};
    case Connect4:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT};
    case Connect6:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT};
    case PostBind4:
      return {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND};
    case PostBind6:
      return {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND};
    case SendMsg4:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG};
    case SendMsg6:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG};
    case Sysctl:
      return {BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL};
    case RecvMsg4:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG};
    case RecvMsg6:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG};
    case GetSockOpt:
      return {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT};
    case SetSockOpt:
      return {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT};
  }
  return {};
}

long call_bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

bpf_attr attachment(BorrowedFd group, BpfHook hook, BorrowedFd program) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<std::uint32_t>(group.get());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attributes.attach_type = info_of(hook).attach;
  return attributes;
}

}  // namespace

Result<UniqueFd> load_program(BpfHook hook, const BpfProgram& program) {
  static constexpr char kLicense[] = "none";  // no helper that asks for one
  const HookInfo info = info_of(hook);
  bpf_attr attributes{};
  attributes.prog_type = info.type;
  attributes.expected_attach_type = info.attach;
  attributes.insns = address_of(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = address_of(kLicense);
  UniqueFd loaded(static_cast<int>(call_bpf(BPF_PROG_LOAD, attributes)));
  if (!loaded) return Failure{SysError{"bpf", errno}};
  return loaded;
}

Result<UniqueFd> open_pinned_program(const std::string& path) {
  bpf_attr attributes{};
  attributes.pathname = address_of(path.c_str());
  UniqueFd program(static_cast<int>(call_bpf(BPF_OBJ_GET, attributes)));
  if (!program) return Failure{SysError{"bpf open", errno}};
  return program;
}

SysResult attach_program(BorrowedFd group, BpfHook hook, BorrowedFd program) {
  bpf_attr attributes = attachment(group, hook, program);
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (call_bpf(BPF_PROG_ATTACH, attributes) < 0) return Failure{SysError{"bpf attach", errno}};
  return {};
}

void detach_program(BorrowedFd group, BpfHook hook, BorrowedFd program) {
  bpf_attr attributes = attachment(group, hook, program);
  (void)call_bpf(BPF_PROG_DETACH, attributes);
}

Result<UniqueFd> make_traffic_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = sizeof(TrafficCount);
  attributes.max_entries = 2;
  UniqueFd map(static_cast<int>(call_bpf(BPF_MAP_CREATE, attributes)));
  if (!map) return Failure{SysError{"bpf map", errno}};
  return map;
}

Result<TrafficCount> read_traffic(BorrowedFd map, Traffic traffic) {
  const auto key = static_cast<std::uint32_t>(traffic);
  TrafficCount count;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(map.get());
  attributes.key = address_of(&key);
  attributes.value = address_of(&count);
  if (call_bpf(BPF_MAP_LOOKUP_ELEM, attributes) < 0) return Failure{SysError{"bpf map", errno}};
  return count;
}

bool is_without_filters(int error) noexcept {
  return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL ||
         error == EOPNOTSUPP;
}

}  // namespace onset
