#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh PYTHON: the tests that CPython has for cProfile, pstats, tracemalloc, timeit, dis and lru_cache, and those
# of line_profiler, joblib and IPython, must pass with ours in place. The runner is shared by the projects around this one; without it, or where the
# tests are missing and can not be fetched, this says so and ends well.
set -euo pipefail
python=$1
runner=../shared/tools/peers/run_suite.py
folder=$PWD/build/peers # line_profiler's and joblib's sources, which have their tests, and what these import
release=5.0.2
joblib_release=1.5.3
ipython_release=9.18.1
ipython8_release=8.39.0 # its wheel has its tests

not_tried() {
    echo "peers: not tried, $*"
    exit 0
}

# fetch NAME RELEASE PACKAGE...: a source, and packages for its tests, of the registry, once: any Python can
# import them from there.
fetch() {
    local place=$folder/$1 fresh=$folder/$1.fresh source=$1==$2
    [[ ! -d $place ]] || return 0
    rm -rf "$fresh"
    shift 2
    "$python" -m pip --quiet install --target "$fresh/site" setuptools "$@" >/dev/null 2>&1 || return 1
    PYTHONPATH=$fresh/site "$python" -m pip --quiet download --no-deps --no-build-isolation \
        --no-binary :all: --dest "$fresh" "$source" >/dev/null 2>&1 || return 1
    tar -xzf "$fresh"/*.tar.gz -C "$fresh"
    mv "$fresh" "$place"
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

# joblib_suite BACKEND: joblib's tests, with results kept in that way. Known are: where numpy is, three tests of which
# there is then one for each kind of array; and in fettle's own store, those that look for joblib's files.
joblib_suite() {
    local table
    table=$(mktemp)
    FETTLE_JOBLIB_BACKEND=$1 suite joblib --json "$table" --path "$folder/joblib/site" \
        --src "$folder/joblib/joblib-$joblib_release" || "$python" - "$table" "$1" <<'END' || { rm "$table"; return 1; }
import json, sys
ends = json.load(open(sys.argv[1]))
files = """_get_items call_and_shelve_lazily_load_stored_result func_dir memory_clear memory_numpy_check_mmap_mode
memory_numpy_check_mmap_mode_async memory_recomputes_after_an_error_while_loading_results persistence
parallel_call_cached_function_defined_in_jupyter""".split() if sys.argv[2] == "store" else []
failed = {name for name, (end, _) in ends.items() if end not in ("passed", "skipped")}
known = {name for name in failed if ends[name][0] == "missing" and any(each.startswith(name + "[") for each in ends)}
known |= {name for name in failed if name.rpartition("::test_")[2].partition("[")[0] in files}
print(f"peers: joblib, {sys.argv[2]}: {len(failed)} failed, {len(known)} of them as is known")
sys.exit(not ends or failed != known)
END
    rm "$table"
}

# IPython's tests of %prun, %run and %timeit, with fettle's in their place. The runner knows the names of IPython 8's tests;
# those of 9 are called otherwise, so that some are "missing".
ipython_suite() {
    local table
    table=$(mktemp)
    local installed # comes first: of what is there twice, the last one is taken
    installed=$("$python" -c 'import fettle, os; print(os.path.dirname(fettle.__path__[0]))')
    PEERS_MAP=$folder/ipython.json "$python" "$runner" ipython --json "$table" --why --python "$python" \
        --path "$installed" "$@" || "$python" - "$table" <<'END' || { rm "$table"; return 1; }
import json, sys
ends = json.load(open(sys.argv[1]))
failed = [name for name, (end, _) in ends.items() if end not in ("passed", "skipped", "missing")]
passed = sum(end == "passed" for end, _ in ends.values())
print(f"peers: ipython: {len(failed)} failed, {passed} passed")
sys.exit(bool(failed) or passed < 20)
END
    rm "$table"
}

# IPython 8, from its wheel: the habit of many, beside the release that the tests in tests/notebook have otherwise.
fetch_ipython8() {
    local place=$folder/ipython8
    [[ ! -d $place ]] || return 0
    rm -rf "$place.fresh"
    "$python" -m pip --quiet install --target "$place.fresh/site" "ipython==$ipython8_release" pytest pytest-asyncio testpath \
        >/dev/null 2>&1 || return 1
    mv "$place.fresh" "$place"
}

[[ -f $runner ]] || not_tried "there is no $runner"
result=0
if "$python" -c 'import test.test_profile' 2>/dev/null; then
    suite cprofile pstats lru_cache timeit dis || result=1
    tracemalloc_suite || result=1
else
    echo "peers: cprofile, pstats, tracemalloc, timeit, dis and lru_cache not tried, $python comes without CPython's tests"
fi
if fetch line_profiler $release pytest ubelt ipython; then
    suite line_profiler --path "$folder/line_profiler/site" --src "$folder/line_profiler/line_profiler-$release" || result=1
else
    echo "peers: line_profiler not tried, pip could not fetch its $release and what its tests need"
fi
if fetch joblib $joblib_release joblib==$joblib_release pytest pytest-asyncio; then
    joblib_suite files || result=1
    joblib_suite store || result=1
else
    echo "peers: joblib not tried, pip could not fetch its $joblib_release and what its tests need"
fi
mkdir -p "$folder"
echo '{"ipython_extension": "fettle.notebook.takeover"}' >"$folder/ipython.json"
if fetch ipython $ipython_release ipython==$ipython_release pytest pytest-asyncio testpath; then
    ipython_suite --path "$folder/ipython/site" --src "$folder/ipython/ipython-$ipython_release" || result=1
    if ! "$python" -c 'import IPython' 2>/dev/null; then
        PYTHONPATH=$folder/ipython/site "$python" -m pytest -q -p no:cacheprovider tests/notebook || result=1
    fi
else
    echo "peers: ipython not tried, pip could not fetch its $ipython_release and what its tests need"
fi
if "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then # later ones came after IPython 8
    if fetch_ipython8; then
        ipython_suite --path "$folder/ipython8/site" || result=1
        PYTHONPATH=$folder/ipython8/site "$python" -m pytest -q -p no:cacheprovider tests/notebook || result=1
    else
        echo "peers: ipython 8 not tried, pip could not fetch its $ipython8_release and what its tests need"
    fi
fi
exit $result
