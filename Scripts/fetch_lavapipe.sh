#!/usr/bin/env bash
# Mesa's Vulkan driver for the processor in a folder of its own, without root and without touching the system (Debian and Ubuntu, x86-64).
#
#   Scripts/fetch_lavapipe.sh FOLDER           Mesa 25.0 of Debian 12's backports, which runs beside Debian 12's libraries: 51 MB
#   Scripts/fetch_lavapipe.sh FOLDER trixie    Mesa of Debian 13's backports with a C library of its own, and glslc and spirv-val: 67 MB
#
# Then `. FOLDER/env` and run a program, or `FOLDER/run PROGRAM ARGUMENTS` for the second kind. Packages come from the mirror that apt
# uses already. Mesa before 25.0 computes long loops wrongly and says nothing. Does nothing where the folder is complete.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 64; }
kind=${2:-bookworm}
[ -e "$1/complete-$kind" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "apt-get and dpkg-deb are needed" >&2; exit 69; }
[ "$(uname -m)" = x86_64 ] || { echo "only x86-64 is known here" >&2; exit 69; }
mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/files"
folder=$(cd "$1" && pwd)
key=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] && [ -e "$key" ] || { echo "apt has no Debian mirror here" >&2; exit 69; }
for suite in "$kind" "$kind-backports"; do echo "deb [signed-by=$key] $mirror $suite main"; done > "$folder/sources.list"
options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$folder/lists"
  -o "Dir::Cache=$folder" -o "APT::Sandbox::User=$(id -un)")
apt-get "${options[@]}" update >/dev/null
if [ "$kind" = bookworm ]; then
  (
    cd "$folder/archives"
    for package in mesa-vulkan-drivers mesa-libgallium libdrm2 libdrm-amdgpu1; do
      apt-get "${options[@]}" download "$package/bookworm-backports"
    done
    apt-get "${options[@]}" download libvulkan1 libllvm15 libelf1 libxcb-present0 libxshmfence1 libwayland-client0 libx11-xcb1 \
      libxcb-dri3-0 libxcb-randr0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0 libedit2 libz3-4 \
      libexpat1
  ) >/dev/null
else
  : > "$folder/status"
  apt-get "${options[@]}" -o "Dir::State::status=$folder/status" -y -d -t "$kind-backports" install --no-install-recommends \
    mesa-vulkan-drivers libvulkan1 glslc spirv-tools >/dev/null
fi
for package in "$folder"/archives/*.deb; do dpkg-deb -x "$package" "$folder/files"; done
libraries=$folder/files/usr/lib/x86_64-linux-gnu
sed "s#\"library_path\": *\"[^\"]*\"#\"library_path\": \"$libraries/libvulkan_lvp.so\"#" \
  "$folder"/files/usr/share/vulkan/icd.d/lvp_icd*.json > "$folder/lvp.json"
driver="VK_DRIVER_FILES=$folder/lvp.json VK_ICD_FILENAMES=$folder/lvp.json"
if [ "$kind" = bookworm ]; then
  echo "export LD_LIBRARY_PATH=$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} $driver" > "$folder/env"
else
  printf '#!/bin/sh\n%s exec %s/files/usr/lib64/ld-linux-x86-64.so.2 --library-path %s:%s "$@"\n' \
    "$driver" "$folder" "$libraries" "\${LD_LIBRARY_PATH:-/nowhere}" > "$folder/run"
  chmod +x "$folder/run"
fi
rm -rf "$folder/archives" "$folder/lists"
touch "$folder/complete-$kind"
