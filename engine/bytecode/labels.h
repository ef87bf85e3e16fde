/* SPDX-License-Identifier: Apache-2.0 */
/* labels.h: places of the code that others name, numbered from 1 in their order.
 *
 * What names a place that is outside the code is kept as well, and numbered with the others: those
 * before the code first, those behind it last. */
#ifndef FT_BYTECODE_LABELS_H
#define FT_BYTECODE_LABELS_H

#include "engine/bytecode/decode.h"

typedef struct ft_labels {
    const ft_mem *mem;
    uint32_t *inside; /* owned: units + 1 of them; the number of each, 0 where there is none */
    int64_t *outside; /* owned: in order and each once, since they were numbered */
    uint32_t units, count;
    uint32_t before, outside_count, capacity; /* how many are before the code; of outside */
} ft_labels;

/* Of a code of that many units. ft_labels_fini in any case. */
ft_status ft_labels_init(ft_labels *labels, const ft_mem *mem, uint32_t units);
void ft_labels_fini(ft_labels *labels);

/* A place that something names. The end of the code is inside. */
ft_status ft_labels_mark(ft_labels *labels, int64_t unit);

/* All that jumps name; if plain_only, not what specialised forms name. */
ft_status ft_labels_mark_jumps(ft_labels *labels, const ft_decoding *decoding,
                               const ft_dialect *dialect, bool plain_only);

/* Numbers what was marked, once. */
void ft_labels_number(ft_labels *labels);

/* Its number, 0: it has none. */
uint32_t ft_labels_at(const ft_labels *labels, int64_t unit);

/* The place of each, in order: count of them. */
void ft_labels_places(const ft_labels *labels, int64_t *places);

#endif
