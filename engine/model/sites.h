/* SPDX-License-Identifier: Apache-2.0 */
/* sites.h: the places where memory was allocated, and how much at each. Sites with the same code,
 * line, parent and domain share one id; id 0 is FT_SITE_NONE, no place at all. */
#ifndef FT_MODEL_SITES_H
#define FT_MODEL_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_SITE_NONE = 0 };

/* A parent has a smaller id than its children, as in a tree (tree.h). Counts are of blocks, bytes
 * are what the program asked for; of a sampled recording both are estimates, weighted already. */
typedef struct ft_site {
    uint32_t code; /* id of the profile's codetab: a Python function, or 0: not known (line 0) */
    uint32_t line;
    uint32_t parent; /* the caller's site; 0: the outermost frame that was kept */
    uint32_t domain; /* 0: Python's allocators, others as tracemalloc numbers them */
    uint64_t total_count, total_bytes;         /* all that was ever allocated here */
    uint64_t peak_count, peak_bytes;           /* alive when the process's heap was largest */
    uint64_t alive_count, alive_bytes;         /* alive at the end */
    uint64_t temporary_count, temporary_bytes; /* freed before four more blocks were allocated */
} ft_site;

typedef struct ft_sites {
    const ft_mem *mem;
    ft_site *sites; /* owned; sites[0] is all zeros */
    uint32_t count, capacity;
    uint32_t *slots; /* owned: open addressing, id or 0; NULL: made anew when needed */
    uint32_t slot_mask;
} ft_sites;

ft_status ft_sites_init(ft_sites *sites, const ft_mem *mem);
void ft_sites_fini(ft_sites *sites);

/* The id of the site, made with zeros if there was none; parent is below sites->count. FT_ERR_LIMIT
 * when thousands of sites collide (made to, in a hostile file). A failure changes nothing. */
ft_status ft_sites_intern(ft_sites *sites, uint32_t code, uint32_t line, uint32_t parent,
                          uint32_t domain, uint32_t *id);

/* Adds the numbers of site to those of sites->sites[id], which is not FT_SITE_NONE. */
void ft_sites_add(ft_sites *sites, uint32_t id, const ft_site *site);

/* Interns all of from, whose code c is codes[c] here; ids[s], for each of from's sites, is what
 * site s is here. Adds no numbers: ft_sites_sum does, and can not fail. On a failure into is as it
 * was. */
ft_status ft_sites_merge(ft_sites *into, const ft_sites *from, const uint32_t *codes,
                         uint32_t *ids);
void ft_sites_sum(ft_sites *into, const ft_sites *from, const uint32_t *ids);

/* Forgets the sites from id count on: what was interned since there were so many. */
void ft_sites_cut(ft_sites *sites, uint32_t count);

/* Whether sites and numbers can be: none is zeros, parents come first, an unknown place has no
 * line. The caller looks at the codes. */
bool ft_sites_are_sound(const ft_sites *sites);

#endif
