// The shell of rescue.service and emergency.service. Whoever sits at the console is root's peer
// only with root's password: sulogin(8) asks for it. Without sulogin, there is a shell where root
// has no password at all, and none elsewhere.

#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "init/machine_programs.h"
#include "unit/root_password.h"

namespace onset {
namespace {

void replace_self(const std::string& path, const char* name) {
  (void)execl(path.c_str(), name, static_cast<char*>(nullptr));
  complain(format("{}: {}", path, errno_text(errno)));
}

}  // namespace

int give_shell(const std::vector<std::string>& arguments) {
  const std::string mode = arguments.empty() ? std::string("rescue") : arguments.front();
  complain(
      format("You are in {} mode. \"systemctl status\" and \"systemctl --failed\" tell what is "
             "wrong, \"systemctl reboot\" reboots, \"systemctl default\" or exit boots on.",
             mode));
  const std::string passwd = text_of("/etc/passwd");
  const std::string shadow = text_of("/etc/shadow");
  const std::string sulogin = find_program("sulogin");
  // Without shadow there may be nothing that sulogin could ask for.
  const bool may_ask = !sulogin.empty() && !root_has_no_password(passwd, {});
  if (may_ask) {
    replace_self(sulogin, "sulogin");
    return 1;
  }
  if (!root_has_no_password(passwd, shadow)) {
    complain(
        "there is no sulogin to ask for root's password, and root has one or is locked: no shell");
    return 1;
  }
  replace_self("/bin/sh", "-sh");
  return 1;
}

}  // namespace onset
