#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh VENV [PYTHON]: brings a fresh clone to where `VENV/bin/fettle` runs, doing only what is missing:
# Debian packages, the environment, the tools in it, the package (again whenever a source changed).
# Without PYTHON an existing environment is kept whatever made it; with PYTHON it is made anew when
# another interpreter made it. Nothing is fetched when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
python=${2:-python3}
named=${2:+yes}
stamps=$venv/.fettle # made-by, tools, package, build/: goes with the environment
package_sources=(engine glue python meson.build meson.options pyproject.toml)

stop() {
    echo "fettle: $*" >&2
    exit 1
}

# The name, version and path that tell one interpreter from another.
identity() {
    "$1" -c 'import os, sys, sysconfig
print(sys.implementation.name, "%d.%d" % sys.version_info[:2],
      "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "gil",
      sys.version.split()[0], os.path.realpath(getattr(sys, "_base_executable", sys.executable)))' 2>/dev/null
}

supported() {
    sed -nE 's/^ *"Programming Language :: Python :: (3\.[0-9]+)".*/\1/p' pyproject.toml
}

check_python() {
    local facts name version gil full path first last
    facts=$(identity "$python") ||
        stop "$python does not run: name a Python with PYTHON=, as in make PYTHON=/usr/bin/python3"
    read -r name version gil full path <<<"$facts"
    first=$(supported | head -n 1) last=$(supported | tail -n 1)
    [[ $name == cpython && " $(supported | xargs) " == *" $version "* ]] ||
        stop "$python is $name $full, and fettle needs CPython $first to $last: name one with PYTHON="
    [[ $gil == gil ]] ||
        stop "$python ($path) is a free-threaded build, and fettle needs one with a GIL: name it with PYTHON="
}

# Debian's names of what this machine lacks.
missing_packages() {
    local interpreter=python3
    command -v "${CC:-cc}" >/dev/null || echo gcc libc6-dev
    command -v pkg-config >/dev/null || echo pkgconf
    pkg-config --exists libzstd 2>/dev/null || echo libzstd-dev
    pkg-config --exists libxxhash 2>/dev/null || echo libxxhash-dev
    command -v "$python" >/dev/null || echo python3 python3-venv python3-dev
    [[ $(identity "$python") == */usr/bin/python* ]] || return 0
    interpreter=$(basename "$(identity "$python" | cut -d' ' -f5-)")
    "$python" -c 'import ensurepip' 2>/dev/null || echo "$interpreter-venv"
    "$python" -c 'import os, sysconfig
raise SystemExit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || echo "$interpreter-dev"
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

make_environment() {
    local wanted
    [[ -z $named ]] || check_python
    if [[ -x $venv/bin/python ]] && "$venv/bin/python" -c '' 2>/dev/null; then
        [[ -n $named ]] || python=$venv/bin/python
        wanted=$(identity "$python")
        [[ $(identity "$venv/bin/python") != "$wanted" ]] || return 0
    fi
    install_packages
    check_python
    [[ ! -e $venv || -e $stamps/made-by ]] ||
        stop "$venv is there and not an environment of this project's for $python: remove it or name another folder with VENV="
    echo "fettle: making $venv with $(identity "$python" | cut -d' ' -f5-)" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv" || stop "$python could not make the environment $venv: see above"
    mkdir -p "$stamps"
    identity "$python" >"$stamps/made-by"
}

# The newest of these files changed after the stamp was set (folders tell of removed files).
changed_since() {
    local stamp=$1
    shift
    [[ ! -e $stamp || -n $(find "$@" -name __pycache__ -prune -o -newer "$stamp" -print -quit) ]]
}

install_tools() {
    changed_since "$stamps/tools" tools/requirements-*.txt || return 0
    echo "fettle: installing the build and test tools into $venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/requirements-dev.txt ||
        stop "pip could not install tools/requirements-dev.txt into $venv: see above"
    touch "$stamps/tools"
}

install_package() {
    changed_since "$stamps/package" "${package_sources[@]}" || return 0
    install_packages
    echo "fettle: building the package into $venv" >&2
    touch "$stamps/begun" # a source saved during the build counts as changed after it
    PATH=$(cd "$venv" && pwd)/bin:$PATH "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation --no-deps --force-reinstall --config-settings=build-dir="$stamps/build" \
        --config-settings=setup-args="-Dwerror=${WERROR:-false}" . ||
        stop "the package could not be built: see above"
    mv "$stamps/begun" "$stamps/package"
}

make_environment
mkdir -p "$stamps"
install_tools
install_package
