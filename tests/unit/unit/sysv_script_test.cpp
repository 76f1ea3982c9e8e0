// What the header of an init script becomes.
#include "unit/sysv_script.h"

#include <catch2/catch.hpp>

namespace onset {
namespace {

SysvScript read(std::string_view text, std::string path = "/etc/init.d/a") {
  SysvScript script;
  script.name = *sysv_unit_name(path.substr(path.rfind('/') + 1));
  script.path = std::move(path);
  read_sysv_script(script, text);
  return script;
}

using List = std::vector<std::string>;

TEST_CASE("an LSB header orders a script and names its aliases", "[sysv]") {
  const SysvScript script = read(R"(#!/bin/sh
### BEGIN INIT INFO
# Provides:          a other $mail-transport-agent
# Required-Start:    $local_fs $remote_fs $network $syslog $time $named
# Required-Stop:     $never
# Should-Start:      postgresql.sh $portmap $special
# X-Start-Before:    b
# X-Start-After:     c
# Default-Start:     2 3 4 5
# Short-Description: Says nothing
# Description:       A long
#                    text
### END INIT INFO
)");
  CHECK(script.has_lsb);
  CHECK(script.description == "LSB: Says nothing");
  CHECK(script.aliases == List{"other.service"});
  CHECK(script.wants == List{"mail-transport-agent.target", "network-online.target"});
  CHECK(script.before == List{"mail-transport-agent.target", "b.service"});
  CHECK(script.after == List{"remote-fs.target", "network-online.target", "time-sync.target",
                             "nss-lookup.target", "postgresql.service", "rpcbind.target",
                             "special.target", "c.service"});
}

TEST_CASE("a long description counts where there is no short one", "[sysv]") {
  CHECK(
      read("### BEGIN INIT INFO\n# Description: A long\n#   text\n#\tof lines\n# Default-Stop: 1\n"
           "#   not of it\n### END INIT INFO\n")
          .description == "LSB: A long text of lines");
}

TEST_CASE("of a chkconfig header a description and a PID file are taken", "[sysv]") {
  const SysvScript script = read(
      "# chkconfig: 2345 80 20\n# description: One \\\n#   two\n# pidfile: /run/a.pid\n"
      "# pidfile: relative\n");
  CHECK_FALSE(script.has_lsb);
  CHECK(script.description == "SYSV: One two");
  CHECK(script.pid_file == "/run/a.pid");
}

TEST_CASE("a script can reload if its usage says so", "[sysv]") {
  CHECK(read("echo \"Usage: $0 {start|stop|reload}\"\n").can_reload);
  CHECK(read("echo \"Usage: $0 {start| \\\nstop|reload|status}\"\n").can_reload);
  CHECK_FALSE(read("echo \"Usage: $0 {start|stop|force-reload}\"\n").can_reload);
  CHECK_FALSE(read("case $1 in a|reload|b) ;; esac\n").can_reload);
}

TEST_CASE("names of scripts and links", "[sysv]") {
  CHECK(sysv_unit_name("foo.sh") == "foo.service");
  CHECK(sysv_unit_name("foo bar") == "foo\\x20bar.service");
  CHECK_FALSE(sysv_unit_name("foo.dpkg-old"));
  CHECK_FALSE(sysv_unit_name("foo~"));
  CHECK_FALSE(sysv_unit_name(".depend.boot"));
  CHECK(read_sysv_link("S05foo.sh")->priority == 5);
  CHECK(read_sysv_link("S05foo.sh")->name == "foo.service");
  CHECK_FALSE(read_sysv_link("K05foo"));
  CHECK_FALSE(read_sysv_link("S5foo"));
  CHECK_FALSE(read_sysv_link("S05"));
}

TEST_CASE("numbers order where a script has no LSB header", "[sysv]") {
  SysvScript old = read("", "/etc/init.d/old");
  SysvScript modern = read("### BEGIN INIT INFO\n### END INIT INFO\n", "/etc/init.d/modern");
  SysvScript other = read("### BEGIN INIT INFO\n### END INIT INFO\n", "/etc/init.d/other");
  add_to_runlevel(old, 20, "multi-user.target");
  add_to_runlevel(old, 20, "multi-user.target");
  add_to_runlevel(modern, 10, "multi-user.target");
  add_to_runlevel(other, 30, "graphical.target");
  std::vector<SysvScript> all{old, modern, other, read("", "/etc/init.d/unlinked")};
  order_sysv_scripts(all);
  CHECK(all[0].after == List{"modern.service"});
  CHECK(all[0].before == List{"multi-user.target", "other.service"});
  CHECK(all[0].wanted_by == List{"multi-user.target"});
  CHECK(all[1].before == List{"multi-user.target", "old.service"});
  CHECK(all[1].after.empty());
  CHECK(all[3].before.empty());
}

TEST_CASE("the unit forks, and is followed by its PID file alone", "[sysv]") {
  SysvScript script = read("# pidfile: /run/a.pid\n# description: 100% sure\n");
  const std::string text = sysv_unit_text(script);
  CHECK(text.find("\nPIDFile=/run/a.pid\n") != text.npos);
  CHECK(text.find("\nRemainAfterExit=no\n") != text.npos);
  CHECK(text.find("\nDescription=SYSV: 100%% sure\n") != text.npos);
  CHECK(text.find("\nExecStart=/etc/init.d/a start\nExecStop=/etc/init.d/a stop\n") != text.npos);
  CHECK(text.find("ExecReload") == text.npos);
  CHECK(sysv_unit_text(read("")).find("\nRemainAfterExit=yes\n") != text.npos);
}

}  // namespace
}  // namespace onset
