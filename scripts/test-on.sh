#!/usr/bin/env bash
# Builds with warnings as errors and runs tests on another release of Debian, in a chroot that is made
# once: by debootstrap, from the mirror that this machine's apt uses. For root on a Debian.
#
#   scripts/test-on.sh trixie              the unit tests, and those that a release has a say in
#   scripts/test-on.sh trixie -R Spool     arguments go to ctest
#
# Exit code 77: on this machine nobody can make a chroot; 2: something else is missing.
# The chroot stays, with its packages and its ccache, in the directory that CMPOST_CHROOTS names
# (default: ~/.cache/cmpost); remove it there to have it made anew. The build is build/RELEASE.
set -euo pipefail
chroots=$(realpath -m "${CMPOST_CHROOTS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cmpost}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing() { printf '%s\n' "test-on: $*" >&2; exit 2; }
forbidden() { printf '%s\n' "test-on: $*" >&2; exit 77; }

[[ "${1:-}" =~ ^[a-z]+$ ]] || { echo "usage: $0 RELEASE [ARGUMENT OF CTEST]..." >&2; exit 64; }
release=$1
shift
[ $# -gt 0 ] || set -- -L 'unit|release'
root=$chroots/$release

[ "$(id -u)" -eq 0 ] || forbidden "only root can make a chroot and work in it"
for command in apt-get debootstrap unshare mount umount; do
  command -v "$command" >/dev/null || missing "there is no $command here: scripts/install-deps.sh release"
done

# Containers often have root and no mounts. What else goes wrong with this is no ban.
can_mount() {
  local place code=0
  place=$(mktemp -d) || missing "there is no place for a directory (above)"
  unshare --mount --pid --fork --kill-child bash -c \
    'mount --rbind /dev "$1" && umount -l "$1" && mount -t proc proc "$1"' can_mount "$place" </dev/null || code=$?
  rmdir "$place"
  return "$code"
}

# What is mounted below is seen by nobody else, and is gone with the last process; and no process
# outlives this one, whatever tests have left running.
if [ "${CMPOST_TEST_ON:-}" != unshared ]; then
  can_mount || forbidden "this machine lets nobody mount anything (above)"
  CMPOST_TEST_ON=unshared CMPOST_CHROOTS=$chroots \
    unshare --mount --pid --fork --kill-child -- bash scripts/test-on.sh "$release" "$@" </dev/null &
  trap 'kill -KILL $!' INT TERM HUP
  wait $! || exit $?
  exit 0
fi

# mirror LABEL: where apt gets what Debian signs with this label from.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^Debian|$1|//p" | sed -n 1p
}

host_conf=etc/apt/apt.conf.d/90host

make_root() {
  local debian security
  debian=$(mirror Debian)
  if [ -z "$debian" ]; then
    apt-get -q update >/dev/null
    debian=$(mirror Debian)
  fi
  [ -n "$debian" ] || missing "apt of this machine has no mirror of Debian"
  security=$(mirror Debian-Security)

  echo "test-on: making $root from $debian"
  mkdir -p "$chroots"
  rm -rf "$root.new"
  debootstrap --variant=minbase --force-check-gpg --include=ca-certificates \
    "$release" "$root.new" "$debian" >"$chroots/$release.log" 2>&1 ||
    missing "debootstrap failed, see $chroots/$release.log"
  {
    echo "deb $debian $release main"
    echo "deb $debian $release-updates main"
    [ -z "$security" ] || echo "deb $security $release-security main"
  } >"$root.new/etc/apt/sources.list"
  # How this machine reaches a mirror: proxies, certificates, whether its clock can be trusted.
  apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]+|ForceIPv[46])\b' \
    >"$root.new/$host_conf" || true
  mv "$root.new" "$root"
}

enter() {
  env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 TERM="${TERM:-dumb}" chroot "$root" "$@"
}

mkdir -p "$chroots"
exec 9>"$chroots/$release.lock"
flock 9
[ -d "$root" ] || make_root
# The last that make_root() writes.
[ -e "$root/$host_conf" ] || missing "$root is not complete: remove it"
# Nothing that is installed there starts a service.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

cp --remove-destination -L /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/src"
mount --bind . "$root/src"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"

# The same path for every tree: what ccache has of one serves the others.
enter bash -c '
  set -euo pipefail
  cd /src
  build=build/$1
  shift
  dpkg --configure -a  # what was interrupted
  scripts/install-deps.sh test
  cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -g0" -DCMPOST_WERROR=ON
  cmake --build "$build" --parallel "$(nproc)"
  exec ctest --test-dir "$build" --no-tests=error --output-on-failure --parallel "$(($(nproc) + 1))" "$@"
' test-on "$release" "$@" </dev/null 9>&-
