#!/usr/bin/env bash
# Shows the main job from start to end, in a directory that is gone afterwards: a CA is made, a
# device asks for a certificate by a file, the CA answers by a file, the device takes it in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -t 1 ]; then bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true); fi
say() { printf '\n%s%s%s\n' "${bold:-}" "$*" "${plain:-}"; }
# Shows a command as one would type it, and runs it.
show() { printf '  $ %s\n' "$*"; "$@" 2>&1 | sed 's/^/    /'; }

build() {
  scripts/install-deps.sh build
  say "Building CMPost (some minutes the first time)"
  mkdir -p build
  local log=build/demo-build.log
  # The program only: without the tests there is less to install and to build.
  if ! { cmake --preset release -DCMPOST_BUILD_TESTS=OFF &&
         cmake --build --preset release --parallel "$(nproc)" --target cmpost; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "demo: the build failed; all of its output is in $log" >&2
    exit 1
  fi
}

build
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export PATH="$PWD/build/release/app:$PATH"
cd "$place"

say "1. A certificate authority. It is a directory: settings, keys, databases, and two folders."
show cmpost init grid

say "2. It shares a secret with a device that has no certificate yet."
printf 'correct horse battery staple\n' >secret.txt && chmod 600 secret.txt
cd grid
show cmpost secret add dev1 --secret-file ../secret.txt
cd ..

say "3. The device makes its key and a request. Any CMP client will do, here it is OpenSSL's. It has
   no connection to the CA: the request becomes a file."
mkdir device
show openssl ecparam -name prime256v1 -genkey -noout -out device/dev1.key
# Given an empty answer, the client writes its request and gives up. With -rspin it later makes a
# request again, which nobody gets, and takes the answer that is in the file.
ask=(openssl cmp -config "" -cmd ir -newkey device/dev1.key -subject /CN=dev1 -recipient "/CN=grid CA"
     -ref dev1 -secret file:secret.txt -implicit_confirm -certout device/dev1.pem)
printf '  $ openssl cmp -cmd ir -newkey device/dev1.key -subject /CN=dev1 ... -reqout dev1.pki\n'
"${ask[@]}" -rspin /dev/null -reqout dev1.pki >client.log 2>&1 || true
[ -s dev1.pki ] || { cat client.log >&2; echo "demo: openssl made no request" >&2; exit 1; }

say "4. The file travels: a USB stick, a mail, a courier. Here it is moved into the folder 'in'."
show mv dev1.pki grid/in/

say "5. The CA works through all that has come, once. ('cmpost serve' would wait for more.)"
cd grid
show cmpost run --quiet
cd ..
show ls grid/out
answer=$(echo grid/out/dev1.*.pki)

say "6. The answer is a file, too. One can look into it:"
show cmpost inspect "$answer" | sed -n 1,12p
echo "    ..."

say "7. It travels back, and the device takes it in and has its certificate."
printf '  $ openssl cmp -cmd ir ... -rspin %s -certout device/dev1.pem\n' "$answer"
"${ask[@]}" -rspin "$answer" >client.log 2>&1 || { cat client.log >&2; exit 1; }
show openssl verify -CAfile grid/ca/ca.pem device/dev1.pem
show openssl x509 -in device/dev1.pem -noout -subject -issuer -enddate

say "8. The CA knows what it did."
cd grid
show cmpost cert list
show cmpost status

say "That was all of it. Read on:"
cat <<'END'
  README.md              first steps with an instance of your own
  docs/configuration.md  every setting
  docs/operations.md     running it: what to watch, what to back up, what to do when
END
