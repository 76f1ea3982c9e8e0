#include "os/bpf_filters.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "base/text.h"
#include "unit/glob.h"

namespace onset {
namespace {

using Branches = std::vector<BpfAssembler::Branch>;

constexpr DeviceMatch character(unsigned major, std::optional<unsigned> minor, bool create = true) {
  return {false, major, minor, true, true, create};
}
/// Documentation/admin-guide/devices.txt of the kernel; 136 to 143 are pts.
constexpr std::array<DeviceMatch, 15> kPseudoDevices{
    {character(1, 3), character(1, 5), character(1, 7), character(1, 8), character(1, 9),
     character(5, 0), character(5, 2), character(136, std::nullopt, false),
     character(137, std::nullopt, false), character(138, std::nullopt, false),
     character(139, std::nullopt, false), character(140, std::nullopt, false),
     character(141, std::nullopt, false), character(142, std::nullopt, false),
     character(143, std::nullopt, false)}};

unsigned access_bits(const DeviceMatch& match) {
  return (match.create ? unsigned{BPF_DEVCG_ACC_MKNOD} : 0U) |
         (match.read ? unsigned{BPF_DEVCG_ACC_READ} : 0U) |
         (match.write ? unsigned{BPF_DEVCG_ACC_WRITE} : 0U);
}

// ---- addresses ------------------------------------------------------------------

constexpr unsigned kContext = 6;    // a register that calls leave alone
constexpr unsigned kFirstWord = 2;  // the address, 32 bits each, as they lie in memory
constexpr unsigned kScratch = 0;
constexpr int kAddressPlace = -16;  // on the stack

/// As many leading bits of the i-th word as the prefix has there, as they lie in memory.
std::uint32_t word_mask(const AddressPrefix& prefix, unsigned word) {
  const unsigned begin = word * 32;
  if (prefix.length <= begin) return 0;
  const unsigned bits = std::min(prefix.length - begin, 32U);
  return htonl(bits == 32 ? UINT32_MAX : ~(UINT32_MAX >> bits));
}

std::uint32_t word_of(const AddressPrefix& prefix, unsigned word) {
  std::uint32_t value = 0;
  std::memcpy(&value, prefix.bytes.data() + std::size_t{4} * word, sizeof value);
  return value;
}

/// False: no address is left to judge. The kernel refuses code that can't be reached.
bool put_prefix(BpfAssembler& code, const AddressPrefix& prefix, bool passes) {
  Branches others;
  for (unsigned word = 0; word < (prefix.is_v6 ? 4U : 1U); ++word) {
    const std::uint32_t mask = word_mask(prefix, word);
    if (mask == 0) break;
    code.move(kScratch, kFirstWord + word);
    code.mask(kScratch, mask);
    others.push_back(code.unless_equal(kScratch, word_of(prefix, word)));
  }
  code.finish(passes);
  code.land(others);
  return !others.empty();
}

/// Where the address is in the packet's header.
int address_offset(bool is_v6, Traffic traffic) {
  constexpr int kV4Source = 12;
  constexpr int kV6Source = 8;
  if (is_v6) return traffic == Traffic::Ingress ? kV6Source : kV6Source + 16;
  return traffic == Traffic::Ingress ? kV4Source : kV4Source + 4;
}

/// For packets of one family; the context is in kContext.
void put_family(BpfAssembler& code, std::span<const AddressPrefix> allow,
                std::span<const AddressPrefix> deny, bool is_v6, Traffic traffic) {
  const int size = is_v6 ? 16 : 4;
  code.move(1, kContext);
  code.set(2, address_offset(is_v6, traffic));
  code.move(3, BPF_REG_10);
  code.add(3, kAddressPlace);
  code.set(4, size);
  code.call(BPF_FUNC_skb_load_bytes);
  const auto is_read = code.if_equal(0, 0);
  code.finish(false);  // no address to judge by
  code.land(is_read);
  for (int word = 0; word < size / 4; ++word) {
    code.load(kFirstWord + static_cast<unsigned>(word), BPF_REG_10, kAddressPlace + 4 * word);
  }
  for (const AddressPrefix& prefix : allow) {
    if (prefix.is_v6 == is_v6 && !put_prefix(code, prefix, true)) return;
  }
  for (const AddressPrefix& prefix : deny) {
    if (prefix.is_v6 == is_v6 && !put_prefix(code, prefix, false)) return;
  }
  code.finish(true);
}

// ---- ports ----------------------------------------------------------------------

/// False: nothing is left to judge.
bool put_bind_rule(BpfAssembler& code, const BindRule& rule, int family, bool passes) {
  if (rule.family != 0 && rule.family != family) return true;
  Branches others;
  if (rule.protocol != 0) {
    others.push_back(code.unless_equal(3, static_cast<std::uint32_t>(rule.protocol)));
  }
  if (rule.first > 1 || rule.last < UINT16_MAX) {
    others.push_back(code.if_less(2, rule.first));
    others.push_back(code.if_greater(2, rule.last));
  }
  code.finish(passes);
  code.land(others);
  return !others.empty();
}

}  // namespace

std::span<const DeviceMatch> pseudo_devices() {
  return kPseudoDevices;
}

std::vector<DeviceMatch> match_device_group(const DeviceRule& rule, std::string_view proc_devices) {
  constexpr std::string_view kBlock = "block-";
  constexpr std::string_view kCharacter = "char-";
  DeviceMatch match{false, {}, {}, rule.read, rule.write, rule.create};
  std::string_view pattern = rule.device;
  match.is_block = pattern.starts_with(kBlock);
  pattern.remove_prefix(match.is_block ? kBlock.size() : kCharacter.size());
  if (pattern == "*") return {match};  // also what no driver has registered yet
  if (const auto number = parse_uint<unsigned>(pattern)) {
    match.major = *number;
    return {match};
  }
  std::vector<DeviceMatch> found;
  bool is_of_kind = false;
  for (const std::string_view line : split(proc_devices, '\n')) {
    if (line.ends_with("devices:")) is_of_kind = line.starts_with("Block") == match.is_block;
    const std::string_view entry = trim(line);
    const std::size_t blank = entry.find(' ');
    const auto number = parse_uint<unsigned>(entry.substr(0, blank));
    if (!is_of_kind || !number || blank == std::string_view::npos) continue;
    if (!glob_matches(pattern, trim(entry.substr(blank)))) continue;
    match.major = *number;
    found.push_back(match);
  }
  return found;
}

BpfProgram device_program(std::span<const DeviceMatch> allowed) {
  constexpr unsigned kAllAccess = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
  BpfAssembler code;
  code.load(2, 1, offsetof(bpf_cgroup_dev_ctx, access_type));
  code.move(3, 2);
  code.mask(2, 0xffff);
  code.shift_right(3, 16);
  code.load(4, 1, offsetof(bpf_cgroup_dev_ctx, major));
  code.load(5, 1, offsetof(bpf_cgroup_dev_ctx, minor));
  for (const DeviceMatch& match : allowed) {
    Branches others{
        code.unless_equal(2, match.is_block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR)};
    if (match.major) others.push_back(code.unless_equal(4, *match.major));
    if (match.minor) others.push_back(code.unless_equal(5, *match.minor));
    if (const unsigned refused = kAllAccess & ~access_bits(match); refused != 0) {
      code.move(0, 3);
      code.mask(0, refused);
      others.push_back(code.unless_equal(0, 0));
    }
    code.finish(true);
    code.land(others);
  }
  code.finish(false);
  return code.take();
}

BpfProgram address_program(std::span<const AddressPrefix> allow,
                           std::span<const AddressPrefix> deny, Traffic traffic) {
  BpfAssembler code;
  code.move(kContext, 1);
  code.load(7, kContext, offsetof(__sk_buff, protocol));
  const auto not_v4 = code.unless_equal(7, htons(ETH_P_IP));
  put_family(code, allow, deny, false, traffic);
  code.land(not_v4);
  const auto not_v6 = code.unless_equal(7, htons(ETH_P_IPV6));
  put_family(code, allow, deny, true, traffic);
  code.land(not_v6);
  code.finish(true);
  return code.take();
}

BpfProgram interface_program(std::span<const unsigned> interfaces, bool is_denied) {
  BpfAssembler code;
  code.load(2, 1, offsetof(__sk_buff, ifindex));
  Branches listed;
  for (const unsigned number : interfaces) listed.push_back(code.if_equal(2, number));
  code.finish(is_denied);
  if (listed.empty()) return code.take();
  code.land(listed);
  code.finish(!is_denied);
  return code.take();
}

BpfProgram counting_program(BorrowedFd map, Traffic traffic) {
  constexpr unsigned kLength = 7;
  constexpr int kKeyPlace = -4;
  BpfAssembler code;
  code.load(kLength, 1, offsetof(__sk_buff, len));
  code.store(BPF_REG_10, kKeyPlace, static_cast<std::int32_t>(traffic));
  code.load_map(1, map);
  code.move(2, BPF_REG_10);
  code.add(2, kKeyPlace);
  code.call(BPF_FUNC_map_lookup_elem);
  const auto is_not_there = code.if_null(0);
  code.add_to(0, offsetof(TrafficCount, bytes), kLength);
  code.set(1, 1);
  code.add_to(0, offsetof(TrafficCount, packets), 1);
  code.land(is_not_there);
  code.finish(true);
  return code.take();
}

BpfProgram bind_program(std::span<const BindRule> allow, std::span<const BindRule> deny,
                        int family) {
  BpfAssembler code;
  code.load(2, 1, offsetof(bpf_sock_addr, user_port));
  code.to_big_endian16(2);
  code.load(3, 1, offsetof(bpf_sock_addr, protocol));
  for (const BindRule& rule : allow) {
    if (!put_bind_rule(code, rule, family, true)) return code.take();
  }
  for (const BindRule& rule : deny) {
    if (!put_bind_rule(code, rule, family, false)) return code.take();
  }
  code.finish(true);
  return code.take();
}

}  // namespace onset
