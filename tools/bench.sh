#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [OPTION...]: runs the benchmarks: those of the engine, built as a release, then those of
# the whole (docs/bench.md), which get the options. Their JSON is build/bench/PYTHON-VERSION.json.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
again=()
if [[ -e build/bench/build.ninja ]]; then again=(--reconfigure); else rm -rf build/bench; fi
meson setup "${again[@]}" build/bench -Dglue=disabled -Dbench=enabled -Dbuildtype=release \
    -Doptimization=2 -Db_ndebug=true >build/bench.log 2>&1 || { cat build/bench.log >&2; exit 1; }
meson compile -C build/bench >>build/bench.log 2>&1 || { cat build/bench.log >&2; exit 1; }
for program in bench/engine/*.c; do
    echo "== $program"
    "build/bench/bench/engine/$(basename "$program" .c)"
done
echo "== bench"
python bench -o "build/bench/$(python -c 'import platform; print(platform.python_version())').json" "$@"
