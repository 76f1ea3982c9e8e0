# shellcheck shell=bash disable=SC2034
# Sourced by the tools of this folder; bash, Debian 12.
#
# need PACKAGE…          installs what is missing; only tools and libraries, never a daemon:
#                        daemons go into roots of their own (tools/debian-root)
# build [CMAKE OPTION…]  builds into $ONSET_BUILD_DIR (default: build/)
# find_systemd           exports SYSTEMD_ROOT, where the tools of systemd are that tests ask
# say, good, bad         one line each, in colour on a terminal

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${ONSET_BUILD_DIR:=$repository/build}"

# What a build needs, as Debian names it. The Dockerfile has the same list.
build_packages=(g++ cmake ninja-build libinih-dev libcap-dev libseccomp-dev
  nlohmann-json3-dev libfmt-dev)
test_packages=(catch2 librapidcheck-dev spin python3)
# What the integration tests look with: namespaces, their network, the roots of real daemons.
look_packages=(util-linux iproute2 mmdebstrap file strace)
coverage_packages=(gcovr)
# What guests are made with and run by (tools/vm).
vm_packages=(mmdebstrap qemu-system-x86 cpio e2fsprogs binutils python3)

if [[ -t 1 && ${NO_COLOR:-} == "" ]]; then
  colour_head=$'\e[1;36m' colour_good=$'\e[32m' colour_bad=$'\e[1;31m' colour_dim=$'\e[2m' colour_off=$'\e[0m'
else
  colour_head='' colour_good='' colour_bad='' colour_dim='' colour_off=''
fi

say() { printf '%s== %s%s\n' "$colour_head" "$*" "$colour_off"; }
good() { printf '%s ✔ %s%s\n' "$colour_good" "$*" "$colour_off"; }
bad() { printf '%s ✘ %s%s\n' "$colour_bad" "$*" "$colour_off" >&2; }
die() {
  bad "$*"
  exit 1
}

missing_packages() {
  local package
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
  done
}

need() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || die "as root: apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  if [[ -z ${packages_are_fresh:-} ]]; then
    apt-get update -qq >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "apt-get update failed"; }
    packages_are_fresh=yes
  fi
  # </dev/null: no maintainer script may wait for an answer.
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    </dev/null >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "apt-get install ${missing[*]} failed"; }
  rm -f "$log"
}

build() {
  say "building into $ONSET_BUILD_DIR"
  local log
  log=$(mktemp)
  cmake -G Ninja -B "$ONSET_BUILD_DIR" -S "$repository" "$@" >"$log" 2>&1 ||
    { cat "$log" >&2; rm -f "$log"; die "cmake failed"; }
  rm -f "$log"
  ninja -C "$ONSET_BUILD_DIR" -j "$(nproc)" "${build_targets[@]}" || die "the build failed"
}
build_targets=() # empty: everything

# Tests compare with systemd's own tools (systemd-analyze, systemd-escape, systemd --test). Where
# the machine has none, Debian's packages are unpacked below the build folder: nothing is
# installed, and no systemd runs. Without them those tests are skipped.
find_systemd() {
  [[ ! ${SYSTEMD_ROOT:-} && ! -x /usr/bin/systemd-analyze ]] || return 0
  local root=$ONSET_BUILD_DIR/systemd
  [[ -x $root/usr/bin/systemd-analyze ]] || unpack_systemd "$root" || return 0
  export SYSTEMD_ROOT=$root
}

unpack_systemd() {
  local root=$1 new=$1.new packages package
  say "unpacking systemd's tools into $root"
  rm -rf "$new"
  mkdir -p "$new/debs"
  chmod 1777 "$new/debs" # apt downloads as a user of its own
  mapfile -t packages < <(apt-get install -s --no-install-recommends systemd 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
  if ((!${#packages[@]})); then # no lists yet, as on a fresh machine
    apt-get update -qq >/dev/null 2>&1 || true
    mapfile -t packages < <(apt-get install -s --no-install-recommends systemd 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
  fi
  if ((!${#packages[@]})) || ! (cd "$new/debs" && apt-get download -qq "${packages[@]}" >/dev/null 2>&1); then
    bad "systemd's package can't be had: tests that ask its tools are skipped"
    rm -rf "$new"
    return 1
  fi
  for package in "$new"/debs/*.deb; do dpkg-deb -x "$package" "$new"; done
  # Its own libraries are looked for in one folder: what they need goes there too.
  find "$new/lib" "$new/usr/lib" -path '*-linux-gnu/*' ! -path '*/systemd/*' -name 'lib*.so*' \
    -exec cp -an -t "$new/usr/lib/$(gcc -print-multiarch)/systemd" {} +
  rm -rf "$new/debs" "$root"
  mv "$new" "$root"
}

# mount_root LOWER TARGET: TARGET becomes a writable view of LOWER that is forgotten with the
# mount namespace it is called in; LOWER itself stays as it is. Devices are the host's harmless
# ones. Call it in a mount namespace of its own, with private propagation.
mount_root() {
  local lower=$1 target=$2 layers=$2.layers
  mkdir -p "$target" "$layers"
  mount -t tmpfs -o mode=0755 onset-layers "$layers"
  mkdir "$layers/upper" "$layers/work"
  if ! mount -t overlay -o "lowerdir=$lower,upperdir=$layers/upper,workdir=$layers/work" onset-root "$target" 2>/dev/null; then
    # No overlay here: a copy in memory does the same, a little later.
    mount -t tmpfs -o mode=0755 onset-root "$target"
    cp -a "$lower/." "$target/"
  fi
  mkdir -p "$target"/{proc,sys/fs/cgroup,dev,run,tmp}
  mount -t tmpfs -o mode=0755,nosuid onset-run "$target/run"
  mount -t tmpfs -o mode=1777,nosuid,nodev onset-tmp "$target/tmp"
  mount -t tmpfs -o mode=0755,nosuid onset-dev "$target/dev"
  local device
  for device in null zero full random urandom tty; do
    : >"$target/dev/$device"
    mount --bind "/dev/$device" "$target/dev/$device"
  done
  mkdir -m 1777 "$target/dev/shm"
  mkdir "$target/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 onset-pts "$target/dev/pts"
  ln -s pts/ptmx "$target/dev/ptmx"
  ln -s /proc/self/fd "$target/dev/fd"
  ln -s /proc/self/fd/0 "$target/dev/stdin"
  ln -s /proc/self/fd/1 "$target/dev/stdout"
  ln -s /proc/self/fd/2 "$target/dev/stderr"
}

# make_cgroup MOUNTPOINT NAME: prints a cgroup of its own, NAME below the caller's view of cgroup
# v2; nothing where the kernel has none: onset then follows processes. In the same mount namespace.
make_cgroup() {
  mkdir -p "$1"
  mount -t cgroup2 none "$1" 2>/dev/null || return 0
  mkdir "$1/$2" && printf '%s\n' "$1/$2"
}

# The kernel may hold a cgroup for a moment after its last process.
remove_cgroup() {
  local end=$((SECONDS + 5))
  while [[ $1 && -d $1 ]]; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null && return
    ((SECONDS < end)) || return 0
    sleep 0.1
  done
}

# boot_root ROOT CGROUP COMMAND…: becomes the parent of COMMAND, which is PID 1 of its own PID,
# mount, UTS, IPC, network and cgroup namespaces, in a root that mount_root has made. It ends
# with COMMAND's exit code, and COMMAND with it.
boot_root() {
  exec unshare --mount --uts --ipc --net --pid --fork --kill-child --mount-proc="$1/proc" \
    bash -euc '
      [[ ! $2 ]] || echo 0 >"$2/cgroup.procs"
      exec unshare --cgroup bash -euc '\''
        [[ ! $2 ]] || mount -t cgroup2 none "$1/sys/fs/cgroup"
        ip link set lo up
        echo "${container:-onset}" >/proc/sys/kernel/hostname
        root=$1
        shift 2
        exec chroot "$root" /usr/bin/env -i container="${container:-onset}" TERM="${TERM:-dumb}" \
          PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
      '\'' bash "$@"
    ' bash "$@"
}

# fit_root ROOT: what Debian's defaults ask for and this kernel may not have.
fit_root() {
  grep -qs localhost "$1/etc/hosts" || printf '127.0.0.1 localhost\n' >>"$1/etc/hosts"
  [[ ! -e /proc/net/if_inet6 ]] || return 0
  say "no IPv6 here: taken out of the configuration of nginx and redis"
  sed -i '/listen \[::\]/d' "$1/etc/nginx/sites-available/default"
  sed -i 's/^bind .*/bind 127.0.0.1/' "$1/etc/redis/redis.conf"
}
