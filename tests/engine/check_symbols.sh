#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_symbols.sh ARCHIVE: holds libfettle to two of its conventions. No mutable statics: nothing in
# .data or .bss. All heap through one door: only base/mem.c allocates (free is not looked for: what the C
# library hands out, as scandir does, goes back to it).
set -eu

statics=$(objdump -t "$1" | awk '$NF !~ /^\./ && / O \.(data|bss|tdata|tbss)(\.|\t)/ && !/\.data\.rel\.ro/')
heap=$(nm -A "$1" | grep -E ' U (malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf|getline)$' |
    grep -v 'base_mem\.c\.o:' || true)

[ -z "$statics" ] || echo "mutable statics in the engine: $statics" >&2
[ -z "$heap" ] || echo "heap calls that pass by ft_mem: $heap" >&2
[ -z "$statics$heap" ]
