/* SPDX-License-Identifier: Apache-2.0 */
/* labels.c: places of the code that others name (see labels.h). */
#include "engine/bytecode/labels.h"

#include <stdlib.h>

#include "engine/base/array.h"

ft_status ft_labels_init(ft_labels *labels, const ft_mem *mem, uint32_t units)
{
    *labels = (ft_labels){.mem = mem, .units = units};
    labels->inside = ft_mem_new(mem, (size_t)units + 1, sizeof(uint32_t));
    return labels->inside != NULL ? FT_OK : FT_ERR_MEMORY;
}

void ft_labels_fini(ft_labels *labels)
{
    ft_mem_free(labels->mem, labels->inside);
    ft_mem_free(labels->mem, labels->outside);
    *labels = (ft_labels){.mem = labels->mem};
}

static bool is_inside(const ft_labels *labels, int64_t unit)
{
    return unit >= 0 && unit <= labels->units;
}

ft_status ft_labels_mark(ft_labels *labels, int64_t unit)
{
    if (is_inside(labels, unit)) {
        labels->inside[unit] = 1;
        return FT_OK;
    }
    if (labels->outside_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    int64_t *outside = ft_array_grow(labels->mem, labels->outside, labels->outside_count + 1,
                                     &labels->capacity, sizeof *outside);
    if (outside == NULL)
        return FT_ERR_MEMORY;
    labels->outside = outside;
    outside[labels->outside_count++] = unit;
    return FT_OK;
}

ft_status ft_labels_mark_jumps(ft_labels *labels, const ft_decoding *decoding,
                               const ft_dialect *dialect, bool plain_only)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < decoding->count && status == FT_OK; i++) {
        const ft_operation *operation = &decoding->operations[i];
        int64_t target;
        if (ft_operation_target(operation, dialect, &target) &&
            !(plain_only && operation->opcode != operation->base))
            status = ft_labels_mark(labels, target);
    }
    return status;
}

static int compare(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

static void sort_outside(ft_labels *labels)
{
    uint32_t kept = 0;
    if (labels->outside_count > 0)
        qsort(labels->outside, labels->outside_count, sizeof *labels->outside, compare);
    for (uint32_t i = 0; i < labels->outside_count; i++) {
        if (kept == 0 || labels->outside[kept - 1] != labels->outside[i])
            labels->outside[kept++] = labels->outside[i];
    }
    labels->outside_count = kept;
    while (labels->before < kept && labels->outside[labels->before] < 0)
        labels->before++;
}

void ft_labels_number(ft_labels *labels)
{
    sort_outside(labels);
    uint32_t number = labels->before;
    for (uint64_t unit = 0; unit <= labels->units; unit++) {
        uint32_t marked = labels->inside[unit] != 0; /* no branch: places are anywhere */
        number += marked;
        labels->inside[unit] = number & (0 - marked);
    }
    labels->count = number + labels->outside_count - labels->before;
}

uint32_t ft_labels_at(const ft_labels *labels, int64_t unit)
{
    if (is_inside(labels, unit))
        return labels->inside[unit];
    const int64_t *found = labels->outside_count == 0
                               ? NULL
                               : bsearch(&unit, labels->outside, labels->outside_count,
                                         sizeof *labels->outside, compare);
    if (found == NULL)
        return 0;
    uint32_t index = (uint32_t)(found - labels->outside);
    uint32_t inside = labels->count - labels->outside_count;
    return index + 1 + (index < labels->before ? 0 : inside);
}

void ft_labels_places(const ft_labels *labels, int64_t *places)
{
    for (uint32_t i = 0; i < labels->before; i++)
        *places++ = labels->outside[i];
    for (int64_t unit = 0; unit <= labels->units; unit++) {
        if (labels->inside[unit] != 0)
            *places++ = unit;
    }
    for (uint32_t i = labels->before; i < labels->outside_count; i++)
        *places++ = labels->outside[i];
}
