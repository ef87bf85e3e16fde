#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh PYTHON: the tests that CPython has for cProfile and pstats, and those of line_profiler, must pass
# with ours in place. The runner is shared by the projects around this one; without it, or where the
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

[[ -f $runner ]] || not_tried "there is no $runner"
result=0
if "$python" -c 'import test.test_profile' 2>/dev/null; then
    suite cprofile pstats || result=1
else
    echo "peers: cprofile and pstats not tried, $python comes without CPython's tests"
fi
if fetch; then
    suite line_profiler --path "$folder/site" --src "$folder/line_profiler-$release" || result=1
else
    echo "peers: line_profiler not tried, pip could not fetch its $release and what its tests need"
fi
exit $result
