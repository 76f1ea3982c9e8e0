#pragma once
// An init script of /etc/init.d as a unit, systemd-sysv-generator(8): what its header says, in the
// words of LSB 3.1 ("### BEGIN INIT INFO") or of Red Hat's chkconfig, and what units of it are
// ordered by. Pure: the scripts and the links of rcN.d come in as text.
//
// Facilities: "$network" and the like are targets, "$local_fs" and "$syslog" are always there,
// any other "$NAME" is NAME.target, and a plain name another script's service. Of a script that
// has no LSB header the numbers of its links give the order.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

struct SysvScript {
  std::string path;  ///< "/etc/init.d/foo"
  std::string name;  ///< "foo.service"
  std::string description;
  std::string pid_file;
  bool has_lsb = false;
  bool can_reload = false;
  int priority = -1;  ///< the highest of its links; -1: it has none
  std::vector<std::string> before;
  std::vector<std::string> after;
  std::vector<std::string> wants;
  std::vector<std::string> wanted_by;
  std::vector<std::string> aliases;  ///< services that it provides beside its own
};

/// "foo.sh" is foo.service; none for a name that no unit can have, and for what editors and
/// package managers leave behind.
std::optional<std::string> sysv_unit_name(std::string_view file);

/// What the text adds to a script that has its path and name.
void read_sysv_script(SysvScript& script, std::string_view text);

/// A runlevel's folder, and the target that stands for it.
struct SysvRunlevel {
  std::string_view folder;  ///< "rc2.d"
  std::string_view target;
};
std::span<const SysvRunlevel> sysv_runlevels() noexcept;

/// A link to start something, "S20foo".
struct SysvLink {
  int priority = 0;
  std::string name;  ///< of the unit
};
std::optional<SysvLink> read_sysv_link(std::string_view file);
/// The script is started in that runlevel.
void add_to_runlevel(SysvScript& script, int priority, std::string_view target);

/// Once all have been read: the order by numbers.
void order_sysv_scripts(std::vector<SysvScript>& scripts);

/// The text of the unit's file.
std::string sysv_unit_text(const SysvScript& script);

}  // namespace onset
