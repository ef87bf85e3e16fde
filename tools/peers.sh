#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh PYTHON: the tests that CPython has for cProfile and pstats must pass with ours in place.
# The runner is shared by the projects around this one; without it, or where the interpreter comes
# without its tests, this says so and ends well.
set -euo pipefail
python=$1
runner=../shared/tools/peers/run_suite.py

if [[ ! -f $runner ]]; then
    echo "peers: not tried, there is no $runner"
elif ! "$python" -c 'import test.test_profile' 2>/dev/null; then
    echo "peers: not tried, $python comes without CPython's tests"
else
    installed=$("$python" -c 'import fettle, os; print(os.path.dirname(fettle.__path__[0]))')
    exec "$python" "$runner" cprofile pstats --why --python "$python" --path "$installed"
fi
