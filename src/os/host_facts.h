#pragma once
// What this machine is called and what it runs: filled in once for specifiers,
// conditions and the environment of services.

#include <string>
#include <string_view>
#include <vector>

#include "os/accounts.h"
#include "unit/file_source.h"
#include "unit/specifiers.h"

namespace onset {

/// Reads uname, /etc/machine-id, /etc/hostname, os-release, the boot id and the
/// manager's own account. What is not there stays empty. `environment` is the
/// manager's own, for the folders of a user's manager (XDG_…) and $TMPDIR.
HostFacts read_host_facts(bool user_manager, const std::vector<std::string>& environment,
                          FileSource& files, Accounts& accounts);

/// uname's machine word as systemd says it: "x86_64" → "x86-64".
std::string_view systemd_architecture(std::string_view machine);

}  // namespace onset
