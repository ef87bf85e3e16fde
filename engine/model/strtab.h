/* SPDX-License-Identifier: Apache-2.0 */
/* strtab.h: interned text. Equal texts have one id; id 0 is the empty text. Texts are bytes (UTF-8
 * by convention, never trusted), may hold NULs, and are NUL-terminated besides. */
#ifndef FT_MODEL_STRTAB_H
#define FT_MODEL_STRTAB_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

typedef struct ft_text {
    const char *data; /* borrowed from the table, valid until the next intern */
    size_t length;
} ft_text;

typedef struct ft_strtab {
    const ft_mem *mem;
    char *bytes;       /* owned: all texts, each followed by a NUL */
    size_t used, room; /* of bytes */
    uint32_t *offsets; /* owned: where text i begins; text i ends before offsets[i + 1] */
    uint32_t count, capacity;
    uint32_t *slots; /* owned: open addressing, id + 1 or 0 */
    uint32_t slot_mask;
} ft_strtab;

ft_status ft_strtab_init(ft_strtab *table, const ft_mem *mem);
void ft_strtab_fini(ft_strtab *table);

/* FT_ERR_LIMIT past 4 GiB of text, or when thousands of texts collide (made to, in a hostile file).
 */
ft_status ft_strtab_intern(ft_strtab *table, const char *text, size_t length, uint32_t *id);

/* id must be below table->count. */
ft_text ft_strtab_get(const ft_strtab *table, uint32_t id);

#endif
