#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# viewer.sh build|check: the HTML report's viewer, by node and what viewer/package-lock.json names.
# build: python/fettle/html/report.{js,css} anew. check: types, tests, and that those two are committed as built.
set -euo pipefail
cd "$(dirname "$0")/.."

assets=python/fettle/html
action=${1:-}

stop() {
    echo "fettle: $*" >&2
    exit 1
}

# Once for each lock file.
install_packages() {
    local stamp=viewer/node_modules/.installed
    if [[ -e $stamp ]] && cmp -s "$stamp" viewer/package-lock.json; then return; fi
    (cd viewer && npm ci --no-audit --no-fund --ignore-scripts --silent) ||
        stop "npm could not install the viewer's packages: see above, and try again where npm reaches its registry"
    cp viewer/package-lock.json "$stamp"
}

check() {
    local fresh name
    fresh=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$fresh'" EXIT
    (cd viewer && npx --no-install tsc --noEmit && node test.mjs && node build.mjs "$fresh")
    for name in report.js report.css; do
        cmp "$fresh/$name" "$assets/$name" ||
            stop "$assets/$name is not what viewer/ builds: run \`make viewer\` and commit it"
    done
}

case $action in
build | check) ;;
*) stop "viewer.sh takes build or check, not \"$action\"" ;;
esac
for program in node npm; do
    command -v $program >/dev/null || stop "this machine lacks $program: \`make consumers\` installs it"
done
install_packages
if [[ $action == build ]]; then
    mkdir -p "$assets"
    (cd viewer && node build.mjs "../$assets")
else
    check
fi
