/* SPDX-License-Identifier: Apache-2.0 */
/* code.h: what was called: a Python function or a C function. Codes with equal fields share one id;
 * id 0 is FT_CODE_NONE, the code of every tree's root. */
#ifndef FT_MODEL_CODE_H
#define FT_MODEL_CODE_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_CODE_NONE = 0 };

typedef enum ft_code_kind {
    FT_CODE_ROOT = 0,   /* id 0 only */
    FT_CODE_PYTHON = 1, /* file, name (co_name), qualname, line (co_firstlineno) */
    FT_CODE_C = 2,      /* name is cProfile's "<built-in method time.sleep>", file "~", line 0 */
    /* Past the cap of nodes, calls are kept per (caller, callee) instead of per path. Under a
     * FOLDED node stand callers (no counters), under each caller its callees. A child of a FOLDED
     * node that has counters is a callee too: no recorded function called it. FOLDED_AGAIN is the
     * same for calls that had the callee among their ancestors: none of them is primitive. */
    FT_CODE_FOLDED = 3,
    FT_CODE_FOLDED_AGAIN = 4,
    /* An event loop runs what stands below: the outermost coroutine of a task. No call and no time:
     * its children are called by its parent. A link of the tree (tree.h) may say who created it. */
    FT_CODE_TASK = 5,
    /* How often and how long the parent, a coroutine, was suspended: calls, and own = waiting. That
     * is no time of the thread, which did other things meanwhile: it is beside what was recorded,
     * in no total and no own or cumulative time. */
    FT_CODE_AWAITED = 6
} ft_code_kind;

enum { FT_CODE_KINDS = 7 };

typedef struct ft_code {
    uint32_t file, name, qualname; /* ids of the profile's strtab */
    uint32_t line;
    uint32_t kind; /* ft_code_kind */
} ft_code;

typedef struct ft_codetab {
    const ft_mem *mem;
    ft_code *codes; /* owned */
    uint32_t count, capacity;
    uint32_t *slots; /* owned: open addressing, id + 1 or 0 */
    uint32_t slot_mask;
} ft_codetab;

ft_status ft_codetab_init(ft_codetab *table, const ft_mem *mem);
void ft_codetab_fini(ft_codetab *table);
ft_status ft_codetab_intern(ft_codetab *table, const ft_code *code, uint32_t *id);

#endif
