#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh PYTHON: the tests that CPython has for cProfile, pstats, tracemalloc and lru_cache, and those of line_profiler,
# must pass with ours in place. The runner is shared by the projects around this one; without it, or where the
# tests are missing and can not be fetched, this says so and ends well.
set -euo pipefail
python=$1
runner=../shared/tools/peers/run_suite.py
folder=$PWD/build/peers # line_profiler's source, which has its tests, and what they import
release=5.0.2

not_tried() {
    echo "peers: not tried, $*"
    exit 0
}

# Packages of the registry, fetched once: any Python can import them from there.
fetch() {
    local fresh=$folder.fresh
    [[ ! -d $folder ]] || return 0
    rm -rf "$fresh"
    "$python" -m pip --quiet install --target "$fresh/site" \
        pytest ubelt ipython setuptools >/dev/null 2>&1 || return 1
    PYTHONPATH=$fresh/site "$python" -m pip --quiet download --no-deps --no-build-isolation \
        --no-binary :all: --dest "$fresh" line_profiler==$release >/dev/null 2>&1 || return 1
    tar -xzf "$fresh/line_profiler-$release.tar.gz" -C "$fresh"
    mv "$fresh" "$folder"
}

suite() {
    local installed
    installed=$("$python" -c 'import fettle, os; print(os.path.dirname(fettle.__path__[0]))')
    "$python" "$runner" "$@" --why --python "$python" --path "$installed"
}

# All of tracemalloc's tests, those that the runner leaves out too, but two kinds: what C code writes into the interpreter's
# own tables; and, before 3.13, objects made in blocks that a freelist kept, of which nobody else is told.
tracemalloc_suite() {
    local table
    table=$(mktemp)
    suite tracemalloc --no-exclude --json "$table" || "$python" - "$table" <<'END' || { rm "$table"; return 1; }
import json, sys
ends = json.load(open(sys.argv[1]))
failed = {name for name, (end, _) in ends.items() if end not in ("passed", "skipped")}
known = {name for name in failed if ".TestCAPI." in name}
known |= {name for name in failed if name.endswith(".test_new_reference") and sys.version_info < (3, 13)}
print(f"peers: tracemalloc: {len(failed)} failed, {len(known)} of them as is known")
sys.exit(not ends or failed != known)
END
    rm "$table"
}

[[ -f $runner ]] || not_tried "there is no $runner"
result=0
if "$python" -c 'import test.test_profile' 2>/dev/null; then
    suite cprofile pstats lru_cache || result=1
    tracemalloc_suite || result=1
else
    echo "peers: cprofile, pstats, tracemalloc and lru_cache not tried, $python comes without CPython's tests"
fi
if fetch; then
    suite line_profiler --path "$folder/site" --src "$folder/line_profiler-$release" || result=1
else
    echo "peers: line_profiler not tried, pip could not fetch its $release and what its tests need"
fi
exit $result
