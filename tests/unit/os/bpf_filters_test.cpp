// The programs run in an interpreter of the instructions that they have.
#include "os/bpf_filters.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "support/loaded_unit.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

using Packet = std::vector<std::uint8_t>;

/// What a program answers for this context; -1: it did what the kernel would refuse.
class Interpreter {
 public:
  Interpreter(const void* context, std::size_t size, Packet packet = {})
      : context_(static_cast<const std::uint8_t*>(context)),
        size_(size),
        packet_(std::move(packet)) {}

  int run(const BpfProgram& program) {
    regs_ = {};
    regs_[1] = kContext;
    regs_[10] = kStackEnd;
    for (std::size_t at = 0; at < program.size(); ++at) {
      const BpfInstruction& i = program[at];
      const unsigned to = i.registers & 15U;
      const unsigned from = i.registers >> 4U;
      const auto value = static_cast<std::uint32_t>(i.immediate);
      const auto low = static_cast<std::uint32_t>(regs_[to]);
      bool jumps = false;
      switch (i.code) {
        case BPF_LDX | BPF_MEM | BPF_W:
          if (!load(regs_[from] + static_cast<std::uint64_t>(i.offset), regs_[to])) return -1;
          break;
        case BPF_ALU64 | BPF_MOV | BPF_X:
          regs_[to] = regs_[from];
          break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
          regs_[to] = static_cast<std::uint64_t>(std::int64_t{i.immediate});
          break;
        case BPF_ALU64 | BPF_ADD | BPF_K:
          regs_[to] += static_cast<std::uint64_t>(std::int64_t{i.immediate});
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          regs_[to] = low & value;
          break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
          regs_[to] >>= value;
          break;
        case BPF_ALU | BPF_END | BPF_TO_BE:
          regs_[to] = htons(static_cast<std::uint16_t>(low));
          break;
        case BPF_ST | BPF_MEM | BPF_W:
          if (!store(regs_[to] + static_cast<std::uint64_t>(i.offset), value)) return -1;
          break;
        case BPF_LD | BPF_IMM | BPF_DW:
          if (from != BPF_PSEUDO_MAP_FD) return -1;
          regs_[to] = value;
          ++at;
          break;
        case BPF_STX | 0xc0 | BPF_DW:
          if (!add_in_map(regs_[to] + static_cast<std::uint64_t>(i.offset), regs_[from])) return -1;
          break;
        case BPF_JMP | BPF_JEQ | BPF_K:
          jumps = regs_[to] == value;
          break;
        case BPF_JMP | BPF_CALL:
          if (i.immediate == BPF_FUNC_map_lookup_elem) {
            std::uint64_t key = 0;
            if (regs_[1] != kMapNumber || !load(regs_[2], key)) return -1;
            regs_[0] = key < map.size() ? kMap + key * sizeof map[0] : 0;
            break;
          }
          if (i.immediate != BPF_FUNC_skb_load_bytes) return -1;
          regs_[0] = load_bytes() ? 0 : UINT64_MAX;
          break;
        case BPF_JMP32 | BPF_JNE | BPF_K:
          jumps = low != value;
          break;
        case BPF_JMP32 | BPF_JEQ | BPF_K:
          jumps = low == value;
          break;
        case BPF_JMP32 | BPF_JLT | BPF_K:
          jumps = low < value;
          break;
        case BPF_JMP32 | BPF_JGT | BPF_K:
          jumps = low > value;
          break;
        case BPF_JMP | BPF_EXIT:
          return static_cast<int>(regs_[0]);
        default:
          return -1;
      }
      if (jumps) at += static_cast<std::size_t>(i.offset);
    }
    return -1;
  }

  static constexpr int kMapNumber = 77;
  std::array<TrafficCount, 2> map{};

 private:
  static constexpr std::uint64_t kMap = 0x20000;
  static constexpr std::uint64_t kContext = 0x1000;
  static constexpr std::uint64_t kStackEnd = 0x9000;

  bool load(std::uint64_t address, std::uint64_t& to) const {
    std::uint32_t word = 0;
    if (address >= kContext && address + 4 <= kContext + size_) {
      std::memcpy(&word, context_ + (address - kContext), 4);
    } else if (address >= kStackEnd - 512 && address + 4 <= kStackEnd) {
      std::memcpy(&word, stack_.data() + (address - (kStackEnd - 512)), 4);
    } else {
      return false;
    }
    to = word;
    return true;
  }
  bool store(std::uint64_t address, std::uint32_t word) {
    if (address < kStackEnd - 512 || address + 4 > kStackEnd) return false;
    std::memcpy(stack_.data() + (address - (kStackEnd - 512)), &word, 4);
    return true;
  }
  bool add_in_map(std::uint64_t address, std::uint64_t value) {
    if (address < kMap || address + 8 > kMap + sizeof map) return false;
    auto* place = reinterpret_cast<std::uint8_t*>(map.data()) + (address - kMap);
    std::uint64_t sum = 0;
    std::memcpy(&sum, place, sizeof sum);
    sum += value;
    std::memcpy(place, &sum, sizeof sum);
    return true;
  }
  bool load_bytes() {
    if (regs_[1] != kContext || regs_[2] + regs_[4] > packet_.size()) return false;
    std::memcpy(stack_.data() + (regs_[3] - (kStackEnd - 512)), packet_.data() + regs_[2],
                regs_[4]);
    return true;
  }

  const std::uint8_t* context_;
  std::size_t size_;
  Packet packet_;
  std::array<std::uint64_t, 11> regs_{};
  std::array<std::uint8_t, 512> stack_{};
};

/// The kernel refuses a program with instructions that nothing leads to.
bool is_all_reachable(const BpfProgram& program) {
  std::vector<bool> reached(program.size() + 1, false);
  reached[0] = true;
  for (std::size_t at = 0; at < program.size(); ++at) {
    if (!reached[at]) return false;
    const unsigned code = program[at].code;
    const bool is_branch = (code & 7U) == BPF_JMP32;
    if (is_branch) reached[at + 1 + static_cast<std::size_t>(program[at].offset)] = true;
    if (code != (BPF_JMP | BPF_EXIT)) reached[at + 1] = true;
  }
  return !reached[program.size()];
}

// ---- devices ----------------------------------------------------------------------

constexpr unsigned kRead = BPF_DEVCG_ACC_READ;
constexpr unsigned kWrite = BPF_DEVCG_ACC_WRITE;
constexpr unsigned kMknod = BPF_DEVCG_ACC_MKNOD;

bool may_use(const std::vector<DeviceMatch>& allowed, bool is_block, unsigned major, unsigned minor,
             unsigned access) {
  const BpfProgram program = device_program(allowed);
  CHECK(is_all_reachable(program));
  const bpf_cgroup_dev_ctx context{
      access << 16U | (is_block ? unsigned{BPF_DEVCG_DEV_BLOCK} : unsigned{BPF_DEVCG_DEV_CHAR}),
      major, minor};
  const int answer = Interpreter(&context, sizeof context).run(program);
  REQUIRE(answer >= 0);
  return answer == 1;
}

TEST_CASE("a device passes by its kind, its numbers and the access asked for", "[os][bpf]") {
  const std::vector<DeviceMatch> allowed{{false, 1, 3, true, false, false},
                                         {true, 254, std::nullopt, true, true, false},
                                         {false, 136, std::nullopt}};
  CHECK(may_use(allowed, false, 1, 3, kRead));
  CHECK_FALSE(may_use(allowed, false, 1, 3, kWrite));
  CHECK_FALSE(may_use(allowed, false, 1, 3, kRead | kWrite));
  CHECK_FALSE(may_use(allowed, false, 1, 5, kRead));
  CHECK_FALSE(may_use(allowed, true, 1, 3, kRead));
  CHECK(may_use(allowed, true, 254, 17, kRead | kWrite));
  CHECK_FALSE(may_use(allowed, true, 254, 17, kMknod));
  CHECK(may_use(allowed, false, 136, 9, kRead | kWrite | kMknod));
  CHECK_FALSE(may_use({}, false, 1, 3, kRead));
}

TEST_CASE("the pseudo devices are /dev/null and its kin", "[os][bpf]") {
  const std::vector<DeviceMatch> pseudo(pseudo_devices().begin(), pseudo_devices().end());
  for (const unsigned minor : {3U, 5U, 7U, 8U, 9U}) {
    CHECK(may_use(pseudo, false, 1, minor, kRead | kWrite | kMknod));
  }
  CHECK_FALSE(may_use(pseudo, false, 1, 1, kRead));   // /dev/mem
  CHECK_FALSE(may_use(pseudo, false, 1, 11, kRead));  // /dev/kmsg
  CHECK(may_use(pseudo, false, 5, 0, kRead));
  CHECK_FALSE(may_use(pseudo, false, 5, 1, kRead));  // /dev/console
  CHECK(may_use(pseudo, false, 136, 4, kRead | kWrite));
  CHECK_FALSE(may_use(pseudo, false, 136, 4, kMknod));
}

TEST_CASE("groups of devices are those of /proc/devices that match", "[os][bpf]") {
  constexpr std::string_view kDevices =
      "Character devices:\n  1 mem\n  4 /dev/vc/0\n136 pts\n203 cpu/cpuid\n202 cpu/msr\n\n"
      "Block devices:\n  7 loop\n254 virtblk\n136 pts\n";
  const auto majors = [&](const char* device) {
    std::vector<unsigned> found;
    for (const DeviceMatch& match : match_device_group({device}, kDevices)) {
      found.push_back(match.major.value_or(9999));
    }
    return found;
  };
  using Majors = std::vector<unsigned>;
  CHECK(majors("char-pts") == Majors{136});
  CHECK(majors("char-cpu/*") == Majors{203, 202});
  CHECK(majors("block-l??p") == Majors{7});
  CHECK(majors("char-loop").empty());
  CHECK(majors("block-*") == Majors{9999});
  CHECK(majors("char-10") == Majors{10});
  CHECK(match_device_group({"block-virtblk", true, false, false}, kDevices) ==
        std::vector<DeviceMatch>{{true, 254, std::nullopt, true, false, false}});
}

// ---- addresses ----------------------------------------------------------------------

ResourceConfig config_from(std::string_view settings) {
  const test::LoadedUnit loaded = test::load_service(settings);
  CHECK(loaded.diagnostics.empty());
  return config_of<ResourceConfig>(std::as_const(*loaded.unit));
}

/// Whether a packet from one address to another passes.
bool passes(std::string_view settings, Traffic traffic, const char* from, const char* to) {
  const ResourceConfig config = config_from(settings);
  const BpfProgram program = address_program(config.ip_allow, config.ip_deny, traffic);
  CHECK(is_all_reachable(program));
  const bool is_v6 = std::strchr(from, ':') != nullptr;
  Packet packet(40, 0);
  __sk_buff context{};
  context.protocol = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP);
  REQUIRE(::inet_pton(is_v6 ? AF_INET6 : AF_INET, from, packet.data() + (is_v6 ? 8 : 12)) == 1);
  REQUIRE(::inet_pton(is_v6 ? AF_INET6 : AF_INET, to, packet.data() + (is_v6 ? 24 : 16)) == 1);
  const int answer = Interpreter(&context, sizeof context, packet).run(program);
  REQUIRE(answer >= 0);
  return answer == 1;
}

TEST_CASE("an address is judged where it comes from, and where it goes to", "[os][bpf]") {
  constexpr std::string_view kDeny = "IPAddressDeny=10.0.0.0/8";
  CHECK_FALSE(passes(kDeny, Traffic::Egress, "192.168.0.1", "10.1.2.3"));
  CHECK(passes(kDeny, Traffic::Egress, "10.1.2.3", "192.168.0.1"));
  CHECK_FALSE(passes(kDeny, Traffic::Ingress, "10.1.2.3", "192.168.0.1"));
  CHECK(passes(kDeny, Traffic::Ingress, "11.1.2.3", "10.0.0.1"));
}

TEST_CASE("what is allowed passes before anything is denied, and the rest passes", "[os][bpf]") {
  constexpr std::string_view kList = "IPAddressDeny=any\nIPAddressAllow=10.1.0.0/17 2001:db8::/33";
  CHECK(passes(kList, Traffic::Egress, "1.1.1.1", "10.1.127.255"));
  CHECK_FALSE(passes(kList, Traffic::Egress, "1.1.1.1", "10.1.128.0"));
  CHECK(passes(kList, Traffic::Egress, "::1", "2001:db8:7fff::1"));
  CHECK_FALSE(passes(kList, Traffic::Egress, "::1", "2001:db8:8000::1"));
  CHECK(passes("IPAddressDeny=10.0.0.1", Traffic::Egress, "1.1.1.1", "10.0.0.2"));
  CHECK(passes("IPAddressDeny=10.0.0.1", Traffic::Egress, "::1", "::1"));
  CHECK_FALSE(passes("IPAddressDeny=::1", Traffic::Egress, "::1", "::1"));
  CHECK(passes("IPAddressDeny=::1", Traffic::Egress, "::1", "::2"));
  CHECK(passes("IPAddressAllow=any\nIPAddressDeny=any", Traffic::Egress, "1.1.1.1", "10.0.0.2"));
}

TEST_CASE("packets that are not IP pass, and those without an address do not", "[os][bpf]") {
  const ResourceConfig config = config_from("IPAddressDeny=any");
  const BpfProgram program = address_program({}, config.ip_deny, Traffic::Egress);
  __sk_buff context{};
  context.protocol = htons(ETH_P_ARP);
  CHECK(Interpreter(&context, sizeof context, Packet(60)).run(program) == 1);
  context.protocol = htons(ETH_P_IP);
  CHECK(Interpreter(&context, sizeof context, Packet(3)).run(program) == 0);
}

// ---- ports --------------------------------------------------------------------------

bool may_bind(std::string_view settings, int family, int protocol, std::uint16_t port) {
  const ResourceConfig config = config_from(settings);
  const BpfProgram program = bind_program(config.bind_allow, config.bind_deny, family);
  CHECK(is_all_reachable(program));
  bpf_sock_addr context{};
  context.user_port = htons(port);
  context.protocol = static_cast<std::uint32_t>(protocol);
  const int answer = Interpreter(&context, sizeof context).run(program);
  REQUIRE(answer >= 0);
  return answer == 1;
}

TEST_CASE("a port may be bound by family, protocol and range", "[os][bpf]") {
  constexpr std::string_view kList =
      "SocketBindAllow=ipv4:tcp:8000-8001\nSocketBindAllow=udp:53\nSocketBindDeny=any";
  CHECK(may_bind(kList, AF_INET, IPPROTO_TCP, 8000));
  CHECK(may_bind(kList, AF_INET, IPPROTO_TCP, 8001));
  CHECK_FALSE(may_bind(kList, AF_INET, IPPROTO_TCP, 7999));
  CHECK_FALSE(may_bind(kList, AF_INET, IPPROTO_TCP, 8002));
  CHECK_FALSE(may_bind(kList, AF_INET, IPPROTO_UDP, 8000));
  CHECK_FALSE(may_bind(kList, AF_INET6, IPPROTO_TCP, 8000));
  CHECK(may_bind(kList, AF_INET6, IPPROTO_UDP, 53));
  CHECK(may_bind("SocketBindDeny=80", AF_INET, IPPROTO_TCP, 81));
  CHECK_FALSE(may_bind("SocketBindDeny=80", AF_INET6, IPPROTO_UDP, 80));
  CHECK(may_bind("SocketBindDeny=ipv6", AF_INET, IPPROTO_TCP, 80));
}

// ---- interfaces, counting ------------------------------------------------------------

TEST_CASE("an interface may be used if it is listed, or if it is not", "[os][bpf]") {
  const auto passes_on = [](std::vector<unsigned> interfaces, bool is_denied, unsigned number) {
    const BpfProgram program = interface_program(interfaces, is_denied);
    CHECK(is_all_reachable(program));
    __sk_buff context{};
    context.ifindex = number;
    return Interpreter(&context, sizeof context).run(program);
  };
  CHECK(passes_on({1, 7}, false, 7) == 1);
  CHECK(passes_on({1, 7}, false, 2) == 0);
  CHECK(passes_on({1, 7}, true, 7) == 0);
  CHECK(passes_on({1, 7}, true, 2) == 1);
  CHECK(passes_on({}, false, 1) == 0);
  CHECK(passes_on({}, true, 1) == 1);
}

TEST_CASE("packets are counted with their lengths, each way on its own", "[os][bpf]") {
  const BorrowedFd map(Interpreter::kMapNumber);
  __sk_buff context{};
  Interpreter interpreter(&context, sizeof context);
  for (const unsigned length : {40U, 1500U}) {
    context.len = length;
    CHECK(interpreter.run(counting_program(map, Traffic::Egress)) == 1);
  }
  context.len = 60;
  CHECK(interpreter.run(counting_program(map, Traffic::Ingress)) == 1);
  CHECK(interpreter.map[0].bytes == 60);
  CHECK(interpreter.map[0].packets == 1);
  CHECK(interpreter.map[1].bytes == 1540);
  CHECK(interpreter.map[1].packets == 2);
}

}  // namespace
}  // namespace onset
