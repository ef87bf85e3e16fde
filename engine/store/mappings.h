/* SPDX-License-Identifier: Apache-2.0 */
/* mappings.h: private mappings of blobs that nobody uses any more, for the next one who wants the
 * same: making one and ending it takes several times what all the rest of a hit does.
 *
 * A mapping that was given back has none of what was written to it. It is given out again only
 * where the blob's file is still the very one that was mapped, unchanged. Few are kept: a blob that
 * is removed takes its place on disk until its mapping ends. Nobody waits here: where another
 * thread is at it (or, in a forked child, was), a mapping is made and ended as if there were none
 * kept. What is given out may outlive the store. */
#ifndef FT_STORE_MAPPINGS_H
#define FT_STORE_MAPPINGS_H

#include "engine/store/blobs.h"

enum { FT_MAPPINGS_KEPT = 4 };

typedef struct ft_mappings ft_mappings;

/* One that is used by somebody, or kept. */
typedef struct ft_mapping {
    ft_mappings *all;
    ft_blob blob;
    uint64_t sight; /* of the file: ft_blob_sight */
    uint8_t *bytes; /* blob.name.bytes of them */
} ft_mapping;

ft_mappings *ft_mappings_new(const ft_mem *mem); /* NULL: no memory */
void ft_mappings_close(ft_mappings *all);        /* NULL: nothing */

/* Takes one of that blob that is kept; NULL: there is none. */
ft_mapping *ft_mappings_take(ft_mappings *all, const ft_folder *folder, const ft_blob *blob);

/* For bytes that were just mapped, privately; NULL: whoever mapped them unmaps them. */
ft_mapping *ft_mappings_add(ft_mappings *all, const ft_blob *blob, uint64_t sight, uint8_t *bytes);

/* Ends the use of one. */
void ft_mapping_give_back(ft_mapping *mapping);

#endif
