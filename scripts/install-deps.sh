#!/usr/bin/env bash
# Installs the Debian packages that CMPost needs and that are not there yet.
#
#   scripts/install-deps.sh           what a build and the tests need
#   scripts/install-deps.sh build     what a build and the demo need
#   scripts/install-deps.sh release   what scripts/test-on.sh needs
#   scripts/install-deps.sh readers   also what scripts/readers.sh needs (Go, Java, Bouncy Castle)
#   scripts/install-deps.sh clang     also what scripts/check-threads.sh needs, as the test `threads` does
#   scripts/install-deps.sh extra     also what fuzzing, scripts/tidy.sh and the test `report_layout` need
#
# Works as root, or as a user who may use sudo. Does nothing, and asks no package server, when all
# is there.
set -euo pipefail

build_packages=(
  build-essential cmake ninja-build mold ccache pkg-config
  libssl-dev libsqlite3-dev libspdlog-dev nlohmann-json3-dev libexpected-dev
  libtomlplusplus-dev libcli11-dev libboost-filesystem-dev libjemalloc-dev libmimetic-dev libcurl4-openssl-dev libssh-dev libarchive-dev
  openssl python3
)
test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev
  sqlite3 bindfs faketime tshark clang-format gnutls-bin python3-pyasn1-modules python3-cryptography
  dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-submissiond postfix s-nail
  openssh-server openssh-client
  dosfstools fusefat exfatprogs exfat-fuse ntfs-3g
)
release_packages=(apt debootstrap util-linux mount debian-archive-keyring gpgv)
reader_packages=(golang-go default-jdk-headless libbcprov-java libbcpkix-java)
clang_packages=(clang)
extra_packages=(clang-tidy chromium poppler-utils fonts-dejavu-core)

case "${1:-test}" in
  build) packages=("${build_packages[@]}") ;;
  test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
  release) packages=("${release_packages[@]}") ;;
  readers) packages=("${build_packages[@]}" "${test_packages[@]}" "${reader_packages[@]}") ;;
  clang) packages=("${build_packages[@]}" "${test_packages[@]}" "${clang_packages[@]}") ;;
  extra) packages=("${build_packages[@]}" "${test_packages[@]}" "${clang_packages[@]}" "${extra_packages[@]}") ;;
  *) echo "usage: $0 [build|test|clang|release|readers|extra]" >&2; exit 64 ;;
esac

fail() { printf '%s\n' "install-deps: $*" >&2; exit 1; }

if ! command -v dpkg-query >/dev/null; then
  fail "this is no Debian system. CMPost is built on Debian 12; elsewhere install by hand what
  corresponds to: ${packages[*]}"
fi

# "ii" is the one status that means installed and configured.
installed=$(dpkg-query --show --showformat '${db:Status-Abbrev}${Package}\n' "${packages[@]}" \
  2>/dev/null | sed -n 's/^ii  *//p' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "not root and no sudo here. Let root run: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

# No question may be asked: tshark would ask whether everybody may capture packets (no). RUNLEVEL=1: the
# mail servers are for the tests, which start their own; the packages must not start any.
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

echo "install-deps: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt update >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  fail "apt-get update failed (above). Is there a network, and is /etc/apt/sources.list right?"
fi
if ! apt install --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
  tail -n 25 "$log" >&2
  fail "apt-get install failed (above). By hand: apt-get install ${missing[*]}"
fi
echo "install-deps: done"
