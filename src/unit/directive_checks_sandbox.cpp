// The kinds of values that sandboxing settings have, systemd.exec(5).

#include <cstring>

#include "unit/directive_checks.h"

namespace onset {
namespace {

constexpr std::string_view kSystemCallGroups[] = {
    "@aio",        "@basic-io",    "@chown",    "@clock",      "@cpu-emulation",  "@debug",
    "@default",    "@file-system", "@io-event", "@ipc",        "@keyring",        "@known",
    "@memlock",    "@module",      "@mount",    "@network-io", "@obsolete",       "@pkey",
    "@privileged", "@process",     "@raw-io",   "@reboot",     "@resources",      "@sandbox",
    "@setuid",     "@signal",      "@swap",     "@sync",       "@system-service", "@timer"};

constexpr std::string_view kArchitectures[] = {
    "native",   "x86",    "x86-64",     "x32",      "arm",       "arm64",         "loongarch64",
    "mips",     "mips64", "mips64-n32", "mips-le",  "mips64-le", "mips64-le-n32", "parisc",
    "parisc64", "ppc",    "ppc64",      "ppc64-le", "riscv64",   "s390",          "s390x"};

constexpr std::string_view kNamespaces[] = {"cgroup", "ipc", "net", "mnt", "pid", "user", "uts"};

/// linux/socket.h, without AF_.
constexpr std::string_view kAddressFamilies[] = {
    "ALG",        "APPLETALK", "ASH",    "ATMPVC", "ATMSVC",   "AX25",  "BLUETOOTH",
    "BRIDGE",     "CAIF",      "CAN",    "DECnet", "ECONET",   "FILE",  "IB",
    "IEEE802154", "INET",      "INET6",  "IPX",    "IRDA",     "ISDN",  "IUCV",
    "KCM",        "KEY",       "LLC",    "LOCAL",  "MCTP",     "MPLS",  "NETBEUI",
    "NETLINK",    "NETROM",    "NFC",    "PACKET", "PHONET",   "PPPOX", "QIPCRTR",
    "RDS",        "ROSE",      "ROUTE",  "RXRPC",  "SECURITY", "SMC",   "SNA",
    "TIPC",       "UNIX",      "UNSPEC", "VSOCK",  "WANPIPE",  "X25",   "XDP"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_identifier(std::string_view word, bool upper) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [upper](char c) {
    return is_digit(c) || c == '_' || (upper ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z');
  });
}

/// "EPERM" or a number up to 4095.
bool is_error_number(std::string_view word) {
  constexpr int kLastError = 133;
  for (int error = 1; error <= kLastError; ++error) {
    const char* name = strerrorname_np(error);
    if (name != nullptr && word == name) return true;
  }
  const auto number = parse_uint<unsigned>(word);
  return number && *number <= 4095;
}

/// The list without the "~" that inverts it and the space behind that.
std::string_view list_of(std::string_view value) {
  return value.starts_with('~') ? trim(value.substr(1)) : value;
}

}  // namespace

std::string check_system_calls(ParseContext&, std::string_view value) {
  const bool denies = value.starts_with('~');
  auto words = split_words(list_of(value), WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    const std::string_view call = std::string_view(word).substr(0, word.find(':'));
    if (call.size() < word.size() && !denies) return "error numbers in a list with \"~\" alone";
    if (call.size() < word.size()) {
      const std::string_view error = std::string_view(word).substr(call.size() + 1);
      if (error != "kill" && !is_error_number(error)) {
        return format("an error name, a number or kill behind \"{}:\"", c_escape(call));
      }
    }
    if (call.starts_with('@') ? !is_one_of(call, kSystemCallGroups) : !is_identifier(call, false)) {
      return format("system calls and @groups of them, not \"{}\"", c_escape(word));
    }
  }
  return {};
}

std::string check_architectures(ParseContext&, std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (!is_one_of(word, kArchitectures)) {
      return format("architectures such as native or x86-64, not \"{}\"", c_escape(word));
    }
  }
  return {};
}

std::string check_error_number(ParseContext&, std::string_view value) {
  if (value.empty() || value == "kill" || is_error_number(value)) return {};
  return "an error name such as EPERM, a number or kill";
}

std::string check_address_families(ParseContext&, std::string_view value) {
  if (value == "none") return {};
  auto words = split_words(list_of(value), WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (!word.starts_with("AF_") || !is_one_of(word.substr(3), kAddressFamilies)) {
      return format("address families such as AF_INET, not \"{}\"", c_escape(word));
    }
  }
  return {};
}

std::string check_namespaces(ParseContext&, std::string_view value) {
  if (value.empty() || parse_bool(value)) return {};
  auto words = split_words(list_of(value), WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (!is_one_of(word, kNamespaces)) {
      return format(
          "a boolean or kinds of namespaces (cgroup, ipc, net, mnt, pid, user, uts), "
          "not \"{}\"",
          c_escape(word));
    }
  }
  return {};
}

std::string check_bind_paths(ParseContext& context, std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto parts = split_words(word, WordFlags::Unquote | WordFlags::KeepEmpty, ":");
    if (!parts || parts->empty() || parts->size() > 3) {
      return format("SOURCE[:DESTINATION[:OPTIONS]], not \"{}\"", c_escape(word));
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(parts->size(), 2); ++i) {
      std::string_view path = (*parts)[i];
      if (i == 0 && path.starts_with('-')) path.remove_prefix(1);
      auto expanded = expand_path(context, path);
      if (!expanded) return format("{}, not \"{}\"", expanded.error(), c_escape(path));
    }
    if (parts->size() == 3 && !(*parts)[2].empty() && (*parts)[2] != "rbind" &&
        (*parts)[2] != "norbind") {
      return format("rbind or norbind as options, not \"{}\"", c_escape((*parts)[2]));
    }
  }
  return {};
}

}  // namespace onset
