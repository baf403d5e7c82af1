#!/bin/bash
# Records CMP messages made by Bouncy Castle (Debian: libbcpkix-java, default-jdk-headless).
#   tests/data/cmp/record-bouncycastle.sh [TARGET]    (default: the folder bouncycastle-<version> beside this script)
# Keys are made anew, so every run gives other octets.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(dpkg-query -W -f '${Version}' libbcpkix-java | cut -d- -f1)
target=${1:-$here/bouncycastle-$version}
mkdir -p "$target"
rm -f "$target"/*.der "$target"/*.pem
jars=/usr/share/java
java -cp "$jars/bcpkix.jar:$jars/bcprov.jar:$jars/bcutil.jar" "$here/Record.java" "$target"
