/* SPDX-License-Identifier: Apache-2.0 */
/* sites.c: interned places of allocation (see sites.h).
 *
 * An array in the order of ids and beside it an open-addressing index of ids, at most 3/4 full, as
 * in code.c. A slot of 0 is free, for nobody looks for FT_SITE_NONE. A cut drops the index, which
 * the next intern makes anew. */
#include "engine/model/sites.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/sum.h"

enum {
    FIRST_SLOTS = 64,
    MAX_PROBES = 4096 /* the hashes are not secret: past this a file was made to collide */
};

#define MIX UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio: an odd number without pattern */

static uint32_t hash(const ft_site *site)
{
    uint64_t mixed = ((uint64_t)site->code << 32 | site->line) * MIX;
    mixed = (mixed ^ mixed >> 29 ^ ((uint64_t)site->parent << 32 | site->domain)) * MIX;
    return (uint32_t)((mixed ^ mixed >> 29) * MIX >> 32);
}

static bool is_same_place(const ft_site *a, const ft_site *b)
{
    return a->code == b->code && a->line == b->line && a->parent == b->parent &&
           a->domain == b->domain;
}

/* The slot that holds the site, or the free one where it belongs; NULL past MAX_PROBES. */
static uint32_t *find(const ft_sites *sites, const ft_site *site)
{
    uint32_t at = hash(site) & sites->slot_mask;
    for (uint32_t probes = 0; probes < MAX_PROBES; probes++) {
        uint32_t id = sites->slots[at];
        assert(id < sites->count);
        if (id == FT_SITE_NONE || is_same_place(&sites->sites[id], site))
            return &sites->slots[at];
        at = (at + 1) & sites->slot_mask;
    }
    return NULL;
}

static void drop_index(ft_sites *sites)
{
    ft_mem_free(sites->mem, sites->slots);
    sites->slots = NULL;
    sites->slot_mask = 0;
}

static ft_status make_index(ft_sites *sites)
{
    uint64_t slots = FIRST_SLOTS;
    while (slots - slots / 4 <= (uint64_t)sites->count + 1)
        slots *= 2;
    ft_sites larger = *sites;
    if (slots > UINT32_MAX)
        return FT_ERR_LIMIT;
    larger.slots = ft_mem_new(sites->mem, (size_t)slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return FT_ERR_MEMORY;
    larger.slot_mask = (uint32_t)(slots - 1);
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count; id++) {
        uint32_t *slot = find(&larger, &sites->sites[id]);
        if (slot == NULL) {
            ft_mem_free(sites->mem, larger.slots);
            return FT_ERR_LIMIT;
        }
        assert(*slot == FT_SITE_NONE); /* no two sites are the same place */
        *slot = id;
    }
    drop_index(sites);
    *sites = larger;
    return FT_OK;
}

static ft_status make_room(ft_sites *sites)
{
    if (sites->slots == NULL || sites->count >= sites->slot_mask - sites->slot_mask / 4) {
        ft_status status = make_index(sites);
        if (status != FT_OK)
            return status;
    }
    ft_site *grown =
        ft_array_grow(sites->mem, sites->sites, sites->count + 1, &sites->capacity, sizeof *grown);
    if (grown == NULL)
        return FT_ERR_MEMORY;
    sites->sites = grown;
    return FT_OK;
}

ft_status ft_sites_intern(ft_sites *sites, uint32_t code, uint32_t line, uint32_t parent,
                          uint32_t domain, uint32_t *id)
{
    const ft_site site = {.code = code, .line = line, .parent = parent, .domain = domain};
    assert(parent < sites->count);
    ft_status status = make_room(sites);
    if (status != FT_OK)
        return status;
    uint32_t *slot = find(sites, &site);
    if (slot == NULL)
        return FT_ERR_LIMIT;
    if (*slot == FT_SITE_NONE) {
        *slot = sites->count;
        sites->sites[sites->count++] = site;
    }
    *id = *slot;
    return FT_OK;
}

void ft_sites_add(ft_sites *sites, uint32_t id, const ft_site *site)
{
    ft_site *into = &sites->sites[id];
    assert(id != FT_SITE_NONE && id < sites->count);
    into->total_count = ft_sum(into->total_count, site->total_count);
    into->total_bytes = ft_sum(into->total_bytes, site->total_bytes);
    into->peak_count = ft_sum(into->peak_count, site->peak_count);
    into->peak_bytes = ft_sum(into->peak_bytes, site->peak_bytes);
    into->alive_count = ft_sum(into->alive_count, site->alive_count);
    into->alive_bytes = ft_sum(into->alive_bytes, site->alive_bytes);
    into->temporary_count = ft_sum(into->temporary_count, site->temporary_count);
    into->temporary_bytes = ft_sum(into->temporary_bytes, site->temporary_bytes);
}

ft_status ft_sites_merge(ft_sites *into, const ft_sites *from, const uint32_t *codes, uint32_t *ids)
{
    const uint32_t before = into->count;
    assert(into != from);
    ids[FT_SITE_NONE] = FT_SITE_NONE;
    for (uint32_t id = FT_SITE_NONE + 1; id < from->count; id++) {
        const ft_site *site = &from->sites[id];
        assert(site->parent < id); /* so its new id is known by now */
        ft_status status = ft_sites_intern(into, codes[site->code], site->line, ids[site->parent],
                                           site->domain, &ids[id]);
        if (status != FT_OK) {
            ft_sites_cut(into, before);
            return status;
        }
    }
    return FT_OK;
}

void ft_sites_sum(ft_sites *into, const ft_sites *from, const uint32_t *ids)
{
    for (uint32_t id = FT_SITE_NONE + 1; id < from->count; id++)
        ft_sites_add(into, ids[id], &from->sites[id]);
}

void ft_sites_cut(ft_sites *sites, uint32_t count)
{
    assert(count > FT_SITE_NONE && count <= sites->count);
    if (count == sites->count)
        return;
    sites->count = count;
    drop_index(sites);
}

bool ft_sites_are_sound(const ft_sites *sites)
{
    static const ft_site none;
    if (sites->count == 0 || memcmp(&sites->sites[FT_SITE_NONE], &none, sizeof none) != 0)
        return false;
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count; id++) {
        const ft_site *site = &sites->sites[id];
        if (site->parent >= id || (site->code == 0 && site->line != 0))
            return false;
    }
    return true;
}

ft_status ft_sites_init(ft_sites *sites, const ft_mem *mem)
{
    *sites = (ft_sites){.mem = mem};
    sites->sites = ft_array_grow(mem, NULL, 1, &sites->capacity, sizeof *sites->sites);
    if (sites->sites == NULL)
        return FT_ERR_MEMORY;
    sites->sites[FT_SITE_NONE] = (ft_site){.code = 0};
    sites->count = 1;
    return FT_OK;
}

void ft_sites_fini(ft_sites *sites)
{
    ft_mem_free(sites->mem, sites->slots);
    ft_mem_free(sites->mem, sites->sites);
    *sites = (ft_sites){.mem = sites->mem};
}
