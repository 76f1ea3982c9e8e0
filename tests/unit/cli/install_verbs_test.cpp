// Unit files changed and asked for without a manager, and with one.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using test::CliWorld;
using test::json;

constexpr const char* kUnit =
    "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";

class FilesWorld : public CliWorld {
 public:
  FilesWorld() {
    files.add_directory("/etc/systemd/system");
    files.add("/usr/lib/systemd/system/a.service", kUnit);
    files.add("/usr/lib/systemd/system/static.service", "[Service]\nExecStart=/bin/true\n");
    files.add("/usr/lib/systemd/system/multi-user.target", "[Unit]\nDescription=Many\n");
    files.add("/bin/true", "", 0755);
  }
};

constexpr const char* kLink = "/etc/systemd/system/multi-user.target.wants/a.service";

TEST_CASE("enable and disable work without a manager", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"is-enabled", "a"}) == 1);
  CHECK(world.out.text == "disabled\n");
  CHECK(world.run({"enable", "a"}) == 0);
  CHECK(world.err.text ==
        std::string("Created symlink ") + kLink + " → /usr/lib/systemd/system/a.service.\n");
  CHECK(world.files.exists(kLink));
  CHECK(world.run({"is-enabled", "a"}) == 0);
  CHECK(world.out.text == "enabled\n");
  CHECK(world.run({"disable", "a"}) == 0);
  CHECK_FALSE(world.files.exists(kLink));
}

TEST_CASE("--root= works below a folder and asks no manager", "[cli][install]") {
  FilesWorld world;
  world.files.add_directory("/image/etc/systemd/system");
  world.files.add("/image/usr/lib/systemd/system/b.service", kUnit);
  CHECK(world.run({"--root=/image", "enable", "b"}) == 0);
  CHECK(world.files.exists(
      std::string("/image/etc/systemd/system/multi-user.target.wants/b.service")));
  CHECK(world.run({"--root=/image", "is-enabled", "b"}) == 0);
  CHECK(world.run({"--root=/image", "start", "b"}) == 1);
  CHECK(world.manager.asked().empty());
}

TEST_CASE("a running manager reads its files again after a change", "[cli][install]") {
  FilesWorld world;
  world.manager.reply(
      {{"properties", {{"UnitPath", "/etc/systemd/system /usr/lib/systemd/system"}}}});
  world.manager.reply({{"diagnostics", json::array()}});
  CHECK(world.run({"enable", "a"}) == 0);
  auto asked = world.manager.asked();
  REQUIRE(asked.size() == 2);
  CHECK(asked[1]["method"] == "io.onset.Manager.Reload");

  FilesWorld quiet;
  quiet.manager.reply({{"properties", json::object()}});
  CHECK(quiet.run({"enable", "--no-reload", "--quiet", "a"}) == 0);
  CHECK(quiet.manager.asked().size() == 1);
  CHECK(quiet.err.text.empty());
}

TEST_CASE("--now starts what is enabled and stops what is masked", "[cli][install]") {
  for (const auto& [verb, type] : {std::pair{"enable", "start"}, std::pair{"mask", "stop"}}) {
    CAPTURE(verb);
    FilesWorld world;
    world.manager.reply({{"properties", json::object()}});
    world.manager.reply({{"diagnostics", json::array()}});
    world.manager.reply({{"jobs", {test::outcome("a.service", "done")}}});
    CHECK(world.run({verb, "--now", "a"}) == 0);
    auto asked = world.manager.asked();
    REQUIRE(asked.size() == 3);
    CHECK(asked[2]["parameters"]["type"] == type);
  }
  FilesWorld alone;
  CHECK(alone.run({"enable", "--now", "a"}) == 1);
}

TEST_CASE("mask hides a unit until unmask", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"mask", "a"}) == 0);
  CHECK(world.files.link("/etc/systemd/system/a.service") == "/dev/null");
  CHECK(world.run({"is-enabled", "a"}) == 1);
  CHECK(world.out.text == "masked\n");
  CHECK(world.run({"unmask", "a"}) == 0);
  CHECK_FALSE(world.files.exists("/etc/systemd/system/a.service"));
}

TEST_CASE("a unit that is not there, and one without [Install]", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"enable", "nope"}) == 1);
  CHECK(world.err.text.find("nope.service") != std::string::npos);
  CHECK(world.run({"is-enabled", "nope"}) == 1);
  CHECK(world.err.text ==
        "Failed to get unit file state for nope.service: No such file or directory\n");
  CHECK(world.run({"enable", "static"}) == 0);
  CHECK(world.err.text.find("[Install]") != std::string::npos);
  CHECK(world.run({"enable", "--no-warn", "static"}) == 0);
  CHECK(world.err.text.empty());
}

TEST_CASE("set-default and get-default", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"set-default", "multi-user"}) == 0);
  CHECK(world.run({"get-default"}) == 0);
  CHECK(world.out.text == "multi-user.target\n");
}

TEST_CASE("add-wants puts units below a target", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"add-wants", "multi-user", "static"}) == 0);
  CHECK(world.files.exists("/etc/systemd/system/multi-user.target.wants/static.service"));
  CHECK(world.run({"add-wants", "multi-user"}) == 1);
}

TEST_CASE("list-unit-files has a line for each file, its state and preset", "[cli][install]") {
  FilesWorld world;
  CHECK(world.run({"list-unit-files", "--no-legend", "-t", "service"}) == 0);
  CHECK(world.out.text ==
        "a.service      disabled enabled\n"
        "static.service static   -\n");
  CHECK(world.run({"list-unit-files", "--state=static", "--json=short", "*.service"}) == 0);
  CHECK(json::parse(world.out.text) ==
        json::array({{{"unit_file", "static.service"}, {"state", "static"}, {"preset", nullptr}}}));
  CHECK(world.run({"list-unit-files"}) == 0);
  CHECK(world.out.text.find("UNIT FILE ") == 0);
  CHECK(world.out.text.ends_with("\n3 unit files listed.\n"));
}

TEST_CASE("cat shows the fragment and its drop-ins without a manager", "[cli][install]") {
  FilesWorld world;
  world.files.add("/etc/systemd/system/a.service.d/x.conf", "[Service]\nNice=5");
  CHECK(world.run({"cat", "a"}) == 0);
  CHECK(world.out.text == std::string("# /usr/lib/systemd/system/a.service\n") + kUnit +
                              "\n# /etc/systemd/system/a.service.d/x.conf\n[Service]\nNice=5\n");
  CHECK(world.run({"cat", "nope"}) == 1);
  CHECK(world.err.text == "No files found for nope.service.\n");
}

constexpr const char* kGetty =
    "[Service]\nExecStart=/sbin/agetty\n[Install]\nWantedBy=getty.target\n"
    "DefaultInstance=tty1\n";

/// With other names, a mask, a template and what only another unit brings in.
class TemplateWorld : public FilesWorld {
 public:
  TemplateWorld() {
    const std::string vendor = "/usr/lib/systemd/system/";
    files.add(vendor + "getty@.service", kGetty);
    files.add_link(vendor + "autovt@.service", "getty@.service");
    files.add_link(vendor + "al.service", "a.service");
    files.add_link(vendor + "m.service", "/dev/null");
    files.add(vendor + "ind.service",
              "[Service]\nExecStart=/bin/true\n[Install]\nAlso=a.service\n");
    files.add("/etc/systemd/system/getty@.service.d/y.conf", "[Service]\nNice=2\n");
  }
};

// systemctl(1) 252 with --root= prints the same for such a tree.
TEST_CASE("list-unit-files has systemctl's state for every kind of file",
          "[cli][install][oracle]") {
  TemplateWorld world;
  CHECK(world.run({"-q", "enable", "a", "getty@"}) == 0);
  CHECK(world.run({"list-unit-files", "--no-legend"}) == 0);
  CHECK(world.out.text ==
        "a.service         enabled  enabled\n"
        "al.service        alias    -\n"
        "autovt@.service   alias    -\n"
        "getty@.service    enabled  enabled\n"
        "ind.service       indirect enabled\n"
        "m.service         masked   enabled\n"
        "static.service    static   -\n"
        "multi-user.target static   -\n");
  CHECK(world.run({"list-unit-files", "--state=enabled", "a*"}) == 0);
  CHECK(world.out.text ==
        "UNIT FILE STATE   PRESET\n"
        "a.service enabled enabled\n"
        "\n"
        "1 unit files listed.\n");
  CHECK(world.run({"list-unit-files", "-t", "service", "--state=alias,static", "--no-legend"}) ==
        0);
  CHECK(world.out.text ==
        "al.service      alias  -\n"
        "autovt@.service alias  -\n"
        "static.service  static -\n");
  CHECK(world.run({"list-unit-files", "none"}) == 1);
  CHECK(world.out.text == "UNIT FILE STATE PRESET\n\n0 unit files listed.\n");
}

// The manual's "show installation targets": systemctl 252 does for a template's instances
// alone, with the paths below --root=.
TEST_CASE("is-enabled --full names the links of each unit", "[cli][install]") {
  TemplateWorld world;
  CHECK(world.run({"-q", "enable", "a", "getty@"}) == 0);
  const char* const instance = "  /etc/systemd/system/getty.target.wants/getty@tty1.service\n";
  CHECK(world.run({"is-enabled", "--full", "getty@.service", "autovt@.service", "ind", "static",
                   "m"}) == 0);
  CHECK(world.out.text == std::string("enabled\n") + instance + "alias\n" + instance +
                              "indirect\n  " + kLink + "\nstatic\nmasked\n");
  CHECK(world.run({"is-enabled", "--full", "a"}) == 0);
  CHECK(world.out.text == std::string("enabled\n  ") + kLink + "\n");
  CHECK(world.run({"-q", "disable", "a"}) == 0);
  CHECK(world.run({"is-enabled", "--full", "a"}) == 1);
  CHECK(world.out.text == "disabled\n");
}

TEST_CASE("is-enabled --full has its paths below --root=", "[cli][install][oracle]") {
  FilesWorld world;
  world.files.add_directory("/image/etc/systemd/system");
  world.files.add("/image/usr/lib/systemd/system/getty@.service", kGetty);
  CHECK(world.run({"--root=/image", "-q", "enable", "getty@"}) == 0);
  CHECK(world.run({"--root=/image", "is-enabled", "--full", "getty@"}) == 0);
  CHECK(world.out.text == "enabled\n  /etc/systemd/system/getty.target.wants/getty@tty1.service\n");
}

// As systemctl(1) 252 finds a template's files, by itself and by name.
TEST_CASE("cat of a template shows its file and its own drop-ins", "[cli][install]") {
  TemplateWorld world;
  const std::string text = std::string("# /usr/lib/systemd/system/getty@.service\n") + kGetty +
                           "\n# /etc/systemd/system/getty@.service.d/y.conf\n[Service]\nNice=2\n";
  for (const char* name : {"getty@", "getty@tty1", "autovt@.service"}) {
    INFO(name);
    CHECK(world.run({"cat", name}) == 0);
    CHECK(world.out.text == text);
  }
}

TEST_CASE("verify names file and line, and exits 1 for what must be mended", "[cli][verify]") {
  FilesWorld world;
  world.files.add("/home/bad.service", "[Service]\nExecStart=/bin/true\nFrobnicate=yes\n");
  CHECK(world.run({"verify", "/usr/lib/systemd/system/a.service"}) == 0);
  CHECK(world.err.text.empty());
  CHECK(world.run({"verify", "bad.service"}) == 1);
  CHECK(world.err.text.starts_with("/home/bad.service:3: "));
  CHECK(world.run({"verify", "--json=short", "./bad.service"}) == 1);
  CHECK(json::parse(world.out.text).at(0)["line"] == 3);
}

}  // namespace
}  // namespace onset
