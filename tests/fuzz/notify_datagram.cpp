// Datagrams of services: the ancillary data as recvmsg(2) leaves it, the text, and what the
// engine makes of it while the service lives. The records, each by its first byte:
//
//   a BYTES  the ancillary data of the next datagram   c  …is cut off (MSG_CTRUNC)
//   e STATUS the main process ends                     k  it is killed
//   t        31 s pass            r reload   s stop    g start
//   p        the unit has a process more, 150, which MAINPID= may name
//   o TEXT   a datagram of another process of the unit
//   f TEXT   a datagram of a foreign process
//   anything else: a datagram of the main process, the first byte included
// Parsers: engine/notify_message.cpp init/notify_datagram.cpp engine/service_notify.cpp

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/text.h"
#include "engine/notify_message.h"
#include "fuzz/fuzz.h"
#include "init/notify_datagram.h"
#include "support/engine_world.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

constexpr std::string_view kUnit = "a.service";
constexpr pid_t kForeign = 77;

bool is_one_line(std::string_view text) {
  for (const char c : text) {
    if (is_control(c)) return false;
  }
  return is_valid_utf8(text);
}

/// Bytes as they are, and as the kernel would have begun them.
NotifyAncillary try_ancillary(std::string_view bytes) {
  alignas(cmsghdr) std::array<char, kNotifyAncillaryMax> control{};
  const std::size_t size = std::min(bytes.size(), control.size());
  if (size > 0) std::memcpy(control.data(), bytes.data(), size);
  const NotifyAncillary found = read_notify_ancillary({control.data(), size});
  expect(found.descriptor_count <= found.descriptors.size(), "there is room for each descriptor");
  expect(found.descriptor_count * sizeof(int) <= size, "each descriptor was in the data");

  // Whole credentials before it: whatever comes behind does not change the sender.
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof(ucred));
  header.cmsg_level = SOL_SOCKET;
  header.cmsg_type = SCM_CREDENTIALS;
  const ucred sender{4711, 1000, 100};
  std::memcpy(control.data(), &header, sizeof header);
  std::memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(control.data())), &sender, sizeof sender);
  const NotifyAncillary whole = read_notify_ancillary({control.data(), CMSG_SPACE(sizeof(ucred))});
  expect(whole.pid == 4711 && whole.uid == 1000 && whole.descriptor_count == 0,
         "credentials are read as they came");
  return found;
}

void try_text(std::string_view text) {
  const ParsedNotify parsed = parse_notify(text);
  expect(is_one_line(parsed.problem), "a problem is fit for a log");
  if (parsed.status) {
    expect(is_one_line(*parsed.status), "a status is one line of UTF-8", *parsed.status);
    expect(parsed.status->size() <= kNotifyMax, "a status has its limit");
    const ParsedNotify again = parse_notify("STATUS=" + *parsed.status);
    expect(parsed.status->size() > kNotifyMax - 7 || again.status == parsed.status,
           "a status is read as itself");
  }
  expect(is_one_line(parsed.fd_name) && parsed.fd_name.size() <= kNotifyFdNameMax, "a name is one");
  if (parsed.message.main_pid) expect(*parsed.message.main_pid > 0, "a pid is above 0");
  if (parsed.message.exit_status) {
    expect(*parsed.message.exit_status >= 0 && *parsed.message.exit_status <= 255,
           "a status is 0..255");
  }
  if (!parsed.dropped) return;
  const bool is_unset = !parsed.status && !parsed.barrier && !parsed.fd_store &&
                        !parsed.message.ready && !parsed.message.main_pid &&
                        !parsed.message.stopping;
  expect(is_unset && !parsed.problem.empty(), "what is dropped says nothing, but why");
}

class World {
 public:
  World()
      : engine_({{"a.service",
                  "[Service]\nType=notify-reload\nNotifyAccess=all\nExecStart=/bin/a\n"
                  "ExecStartPost=/bin/p\nExecStop=/bin/s\nWatchdogSec=10\nRestart=on-failure\n"
                  "RestartSec=1\nTimeoutStartSec=20\nTimeoutStopSec=20\n"},
                 {"basic.target", "[Unit]\nDefaultDependencies=no\n"},
                 {"sysinit.target", "[Unit]\nDefaultDependencies=no\n"},
                 {"shutdown.target", "[Unit]\nDefaultDependencies=no\n"}}) {
    expect_same(engine_.start(kUnit), "", "the unit starts");
  }

  void datagram(std::string_view bytes, pid_t sender) {
    const std::string_view text = notify_text(bytes, flags_);
    expect((flags_ & MSG_CTRUNC) == 0 || text.empty(), "what was cut off is dropped");
    flags_ = 0;
    if (text.empty()) return;
    expect(text.size() <= kNotifyMax, "no datagram is beyond the limit");
    try_text(text);
    const UnitId id = engine_.manager.graph().find(kUnit);
    engine_.manager.notify(id, NotifySender{sender, sender == kForeign ? 1000U : 0U}, text,
                           engine_.now);
    check(id);
  }

  void happen(std::string_view record) {
    const UnitId id = engine_.manager.graph().find(kUnit);
    const pid_t pid = engine_.os.pid_of(kUnit);
    switch (record.front()) {
      case 'a':
        (void)try_ancillary(record.substr(1));
        break;
      case 'c':
        flags_ = MSG_CTRUNC;
        break;
      case 'e':
        if (pid != 0) engine_.exit(kUnit, static_cast<unsigned char>(record.back()));
        break;
      case 'k':
        if (pid != 0) engine_.die(kUnit, 9);
        break;
      case 't':
        engine_.pass(std::chrono::seconds(31));
        break;
      case 'p': {
        test::FakeProcess process;
        process.pid = 150;
        process.unit = id;
        process.unit_name = kUnit;
        engine_.os.alive[150] = process;
        break;
      }
      case 'r':
        (void)engine_.request(kUnit, JobType::Reload);
        break;
      case 's':
        (void)engine_.stop(kUnit);
        break;
      case 'g':
        (void)engine_.start(kUnit);
        break;
      case 'o':
        datagram(record.substr(1), pid + 1);
        break;
      case 'f':
        datagram(record.substr(1), kForeign);
        break;
      default:
        datagram(record, pid == 0 ? kForeign : pid);
        break;
    }
    check(id);
  }

 private:
  void check(UnitId id) const {
    const auto& service = engine_.manager.runtime(id).service;
    expect(service.main.pid != 1, "onset is no service's main process");
    expect(is_one_line(engine_.manager.status_text(id)), "a status is one line");
    expect(!engine_.manager.sub_state(id).empty(), "a unit has a state");
  }

  test::EngineWorld engine_;
  int flags_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  try_text(rest);
  (void)try_ancillary(rest);
  (void)notify_text(rest, 0);
  (void)notify_text(rest, MSG_TRUNC);
  World world;
  for (unsigned i = 0; !rest.empty() && i < 64; ++i) {
    const std::string_view record = take(rest);
    if (!record.empty()) world.happen(record);
  }
  return 0;
}
