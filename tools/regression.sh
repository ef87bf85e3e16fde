#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# regression.sh PYTHON: CPython's own regression tests, each plain and recorded by fettle, must end alike.
# The runner is shared by the projects around this one; without it, or where the interpreter comes
# without its tests, this says so and ends well.
set -euo pipefail
python=$1
runner=../shared/tools/peers/regr_under.py

if [[ ! -f $runner ]]; then
    echo "regression: not tried, there is no $runner"
elif ! "$python" -c 'import test.test_grammar' 2>/dev/null; then
    echo "regression: not tried, $python comes without CPython's tests"
else
    exec "$python" "$runner" --jobs 2 --python "$python" --probe profile -- -m fettle run -q -C -o '{OUT}'
fi
