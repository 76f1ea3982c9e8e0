// systemd-random-seed.service, systemd-machine-id-commit.service and systemd-update-done.service:
// what a machine keeps from one boot to the next.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "init/machine_programs.h"
#include "os/files.h"
#include "unit/machine_identity.h"

namespace onset {
namespace {

constexpr const char* kSeedFolder = "/var/lib/systemd";
constexpr const char* kSeed = "/var/lib/systemd/random-seed";
constexpr const char* kNewSeed = "/var/lib/systemd/.random-seed.new";
constexpr std::size_t kSeedBytes = 512;

int fail(std::string_view what, int err) {
  complain(format("{}: {}", what, errno_text(err)));
  return 1;
}

/// Mixed in without credit: nobody knows who else has seen it.
int load_seed() {
  const UniqueFd from(open(kSeed, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!from) return errno == ENOENT ? 0 : fail(kSeed, errno);
  std::array<char, kSeedBytes> seed{};
  const ssize_t n = read(from.get(), seed.data(), seed.size());
  if (n < 0) return fail(kSeed, errno);
  const UniqueFd to(open("/dev/urandom", O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!to || write(to.get(), seed.data(), static_cast<std::size_t>(n)) != n) {
    return fail("/dev/urandom", errno);
  }
  return 0;
}

/// A seed is used once: a new one takes the place of the old at once, and again at the end.
int save_seed() {
  std::array<char, kSeedBytes> seed{};
  if (getrandom(seed.data(), seed.size(), GRND_NONBLOCK | GRND_INSECURE) !=
      static_cast<ssize_t>(seed.size())) {
    return fail("getrandom", errno);
  }
  if (mkdir(kSeedFolder, 0755) < 0 && errno != EEXIST) return fail(kSeedFolder, errno);
  const UniqueFd to(open(kNewSeed, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!to) return fail(kNewSeed, errno);
  if (write(to.get(), seed.data(), seed.size()) != static_cast<ssize_t>(seed.size()) ||
      fsync(to.get()) < 0 || rename(kNewSeed, kSeed) < 0) {
    const int err = errno;
    (void)unlink(kNewSeed);
    return fail(kSeed, err);
  }
  return 0;
}

}  // namespace

int keep_random_seed(const std::vector<std::string>& arguments) {
  const int loaded = arguments.empty() || arguments.front() == "load" ? load_seed() : 0;
  return save_seed() == 0 ? loaded : 1;
}

/// The id of this boot, until now in /run alone, is written to /etc, which can be written by now.
int commit_machine_id(const std::vector<std::string>& /*arguments*/) {
  RealFiles files;
  const auto text = files.read(kTransientMachineIdFile, 4096);
  const std::string id = text ? plain_machine_id(*text) : std::string();
  if (id.empty()) {
    complain(format("{} has no machine id", kTransientMachineIdFile));
    return 1;
  }
  // The file of this boot may lie over the real one.
  (void)umount2(kMachineIdFile, MNT_DETACH);
  const SysResult written = files.write_file(kMachineIdFile, id + '\n', 0444);
  if (!written) return fail(kMachineIdFile, written.error().err);
  (void)unlink(kTransientMachineIdFile);
  return 0;
}

/// ConditionNeedsUpdate= of systemd.unit(5): these are as old as /usr, which they have caught up
/// with.
int mark_updated(const std::vector<std::string>& /*arguments*/) {
  struct stat usr {};
  if (stat("/usr", &usr) < 0) return fail("/usr", errno);
  int result = 0;
  for (const char* path : {"/etc/.updated", "/var/.updated"}) {
    const UniqueFd fd(open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644));
    const std::array<timespec, 2> times{usr.st_mtim, usr.st_mtim};
    if (fd && futimens(fd.get(), times.data()) == 0) continue;
    // What can't be written can't be updated either.
    if (errno != EROFS) result = fail(path, errno);
  }
  return result;
}

}  // namespace onset
