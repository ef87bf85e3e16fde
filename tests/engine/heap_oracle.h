/* SPDX-License-Identifier: Apache-2.0 */
/* heap_oracle.h: what a heap should say: a list of blocks, which is added up from scratch after
 * each event. */
#ifndef HEAP_ORACLE_H
#define HEAP_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ORACLE_STACKS = 48, ORACLE_LIVE = 6000, ORACLE_WITHIN = 4 };

typedef enum oracle_kind {
    ORACLE_BEGIN,      /* a block at an address; one that was there has ended unheard */
    ORACLE_END,        /* it is freed */
    ORACLE_DROP,       /* it is gone, but not freed: realloc took it */
    ORACLE_MOVE,       /* it is another stack's */
    ORACLE_REST,       /* the part's blocks are known no more, but count on */
    ORACLE_FORGET,     /* ... and do not */
    ORACLE_RESET_PEAK, /* of both parts */
} oracle_kind;

typedef struct oracle_event {
    oracle_kind kind;
    uint32_t part, stack;
    uint64_t address, size;
} oracle_event;

/* Of one stack in one part: blocks and bytes. */
typedef struct oracle_sums {
    uint64_t live[2], total[2], temporary[2], peak[2];
} oracle_sums;

typedef struct oracle_block {
    oracle_event begun;
    uint64_t number; /* of the part's blocks, from 1 */
    bool known;
} oracle_block;

typedef struct oracle {
    oracle_block blocks[ORACLE_LIVE];
    uint32_t count;
    uint64_t begun[2], live[2], peak;
    oracle_sums sums[2][ORACLE_STACKS];
} oracle;

static inline void oracle_add_up(oracle *right)
{
    right->live[0] = right->live[1] = 0;
    for (uint32_t part = 0; part < 2; part++)
        for (uint32_t i = 0; i < ORACLE_STACKS; i++)
            memset(right->sums[part][i].live, 0, sizeof right->sums[part][i].live);
    for (uint32_t i = 0; i < right->count; i++) {
        const oracle_event *of = &right->blocks[i].begun;
        right->live[of->part] += of->size;
        right->sums[of->part][of->stack].live[0]++;
        right->sums[of->part][of->stack].live[1] += of->size;
    }
}

static inline void oracle_note_peak(oracle *right)
{
    right->peak = right->live[0] + right->live[1];
    for (uint32_t part = 0; part < 2; part++)
        for (uint32_t i = 0; i < ORACLE_STACKS; i++)
            memcpy(right->sums[part][i].peak, right->sums[part][i].live,
                   sizeof right->sums[part][i].peak);
}

static inline oracle_block *oracle_find(oracle *right, uint32_t part, uint64_t address)
{
    for (uint32_t i = 0; i < right->count; i++) {
        oracle_block *block = &right->blocks[i];
        if (block->known && block->begun.part == part && block->begun.address == address)
            return block;
    }
    return NULL;
}

static inline void oracle_begin(oracle *right, const oracle_event *event)
{
    oracle_block *block = oracle_find(right, event->part, event->address);
    if (block == NULL)
        block = &right->blocks[right->count++];
    *block = (oracle_block){*event, ++right->begun[event->part], true};
    right->sums[event->part][event->stack].total[0]++;
    right->sums[event->part][event->stack].total[1] += event->size;
}

static inline void oracle_end(oracle *right, const oracle_event *event)
{
    oracle_block *block = oracle_find(right, event->part, event->address);
    uint64_t more = right->begun[event->part] - block->number;
    oracle_sums *sums = &right->sums[event->part][block->begun.stack];
    if (event->kind == ORACLE_END && more < ORACLE_WITHIN) {
        sums->temporary[0]++;
        sums->temporary[1] += block->begun.size;
    }
    *block = right->blocks[--right->count];
}

static inline void oracle_move(oracle *right, const oracle_event *event)
{
    oracle_block *block = oracle_find(right, event->part, event->address);
    if (block->begun.stack == event->stack)
        return;
    block->begun.stack = event->stack;
    right->sums[event->part][event->stack].total[0]++;
    right->sums[event->part][event->stack].total[1] += block->begun.size;
}

static inline void oracle_forget(oracle *right, uint32_t part)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < right->count; i++)
        if (right->blocks[i].begun.part != part)
            right->blocks[kept++] = right->blocks[i];
    right->count = kept;
    memset(right->sums[part], 0, sizeof right->sums[part]);
}

static inline void oracle_rest(oracle *right, uint32_t part)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->blocks[i].begun.part == part)
            right->blocks[i].known = false;
}

static inline void oracle_tell(oracle *right, oracle_event event)
{
    if (event.kind == ORACLE_BEGIN)
        oracle_begin(right, &event);
    else if (event.kind == ORACLE_END || event.kind == ORACLE_DROP)
        oracle_end(right, &event);
    else if (event.kind == ORACLE_MOVE)
        oracle_move(right, &event);
    else if (event.kind == ORACLE_FORGET)
        oracle_forget(right, event.part);
    else if (event.kind == ORACLE_REST)
        oracle_rest(right, event.part);
    oracle_add_up(right);
    if (event.kind == ORACLE_RESET_PEAK || event.kind == ORACLE_FORGET ||
        right->live[0] + right->live[1] > right->peak)
        oracle_note_peak(right);
}

#endif
