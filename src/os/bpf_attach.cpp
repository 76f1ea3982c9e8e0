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
  switch (hook) {
    case BpfHook::Device:
      return {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE};
    case BpfHook::Ingress:
      return {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS};
    case BpfHook::Egress:
      return {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS};
    case BpfHook::Bind4:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND};
    case BpfHook::Bind6:
      return {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND};
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

Result<UniqueFd> attach_program(BorrowedFd group, BpfHook hook, const BpfProgram& program) {
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
  attributes = attachment(group, hook, loaded);
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (call_bpf(BPF_PROG_ATTACH, attributes) < 0) return Failure{SysError{"bpf attach", errno}};
  return loaded;
}

void detach_program(BorrowedFd group, BpfHook hook, BorrowedFd program) {
  bpf_attr attributes = attachment(group, hook, program);
  (void)call_bpf(BPF_PROG_DETACH, attributes);
}

bool is_without_filters(int error) noexcept {
  return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL ||
         error == EOPNOTSUPP;
}

}  // namespace onset
