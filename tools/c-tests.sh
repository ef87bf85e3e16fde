#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# c-tests.sh FOLDER "SETUP OPTIONS" [MESON TEST OPTIONS...]: builds the engine without Python in FOLDER
# and runs its tests there.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
read -r -a options <<<"$2"
shift 2
mkdir -p "$(dirname "$folder")"
again=()
if [[ -e $folder/build.ninja ]]; then again=(--reconfigure); else rm -rf "$folder"; fi
meson setup "${again[@]}" "$folder" -Dglue=disabled -Dtests=enabled -Dwerror="${WERROR:-false}" \
    "${options[@]}" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
# Everything is built where all tests run; where some do, what they need.
[[ $* == *--suite* ]] || meson compile -C "$folder"
# The thread sanitizer can not place its shadow under every randomised layout.
run=()
[[ $folder != *tsan ]] || ! setarch "$(uname -m)" -R true 2>/dev/null || run=(setarch "$(uname -m)" -R)
exec "${run[@]}" meson test -C "$folder" --print-errorlogs "$@"
