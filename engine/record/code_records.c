/* SPDX-License-Identifier: Apache-2.0 */
/* code_records.c: the functions of a recording by their numbers (see code_records.h). */
#include "engine/record/code_records.h"

#include <assert.h>

void ft_code_records_fini(ft_code_records *records, const ft_mem *mem)
{
    ft_mem_free(mem, records->list);
    *records = (ft_code_records){0};
}

static uint32_t count_codes(const ft_block *block)
{
    uint64_t used = atomic_load_explicit(&block->used, memory_order_acquire);
    const char *at = (const char *)(block + 1), *end = at + used;
    uint32_t count = 0;
    for (; at < end; at += ((const ft_record *)(const void *)at)->bytes)
        count += ((const ft_record *)(const void *)at)->type == FT_RECORD_CODE;
    return count;
}

/* The arena's list has the newest block first, so numbers are given from the back. */
static void fill(const ft_record **list, uint32_t count, const ft_block *blocks)
{
    for (const ft_block *block = blocks; block != NULL; block = block->next) {
        if (block->kind != FT_BLOCK_RECORDS)
            continue;
        uint64_t used = atomic_load_explicit(&block->used, memory_order_acquire);
        const char *at = (const char *)(block + 1), *end = at + used;
        uint32_t next = count - count_codes(block);
        count = next;
        while (at < end) {
            const ft_record *record = (const ft_record *)(const void *)at;
            if (record->type == FT_RECORD_CODE)
                list[next++] = record;
            at += record->bytes;
        }
    }
    assert(count == 0);
}

ft_status ft_code_records_update(ft_code_records *records, ft_recording *recording)
{
    ft_status status = FT_OK;
    pthread_mutex_lock(&recording->lock);
    uint32_t count = recording->code_count;
    if (count > records->count) {
        const ft_record **list = ft_mem_resize(recording->mem, records->list, count, sizeof *list);
        if (list != NULL) {
            records->list = list;
            records->count = count;
            fill(list, count, recording->arena.blocks);
        } else {
            status = FT_ERR_MEMORY;
        }
    }
    pthread_mutex_unlock(&recording->lock);
    return status;
}
