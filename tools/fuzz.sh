#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS: lets libFuzzer search each target for SECONDS, starting from its corpus. What it finds
# is kept in build/fuzz/found-NAME; an input that breaks something in build/fuzz/broken-NAME-*.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
command -v clang >/dev/null || { echo "fettle: searching with the fuzzer needs clang: install it and try again" >&2; exit 1; }
mkdir -p build
again=()
if [[ -e build/fuzz/build.ninja ]]; then again=(--reconfigure); else rm -rf build/fuzz; fi
CC=clang meson setup "${again[@]}" build/fuzz -Dglue=disabled -Dlibfuzzer=true \
    -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all >build/fuzz.log 2>&1 ||
    { cat build/fuzz.log >&2; exit 1; }
meson compile -C build/fuzz
for target in fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    name=${name#fuzz_}
    mkdir -p "build/fuzz/found-$name"
    echo "== $name, $seconds s"
    "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/broken-$name-" "build/fuzz/found-$name" "fuzz/corpus/$name"
done
