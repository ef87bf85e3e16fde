/* SPDX-License-Identifier: Apache-2.0 */
/* tags.c: the tag of each live block by its address (see tags.h). */
#include "engine/record/tags.h"

#include <string.h>
#include <sys/mman.h>

enum {
    REGION_GRANULES = 1 << FT_TAGS_REGION_BITS,
    AREA_REGIONS = 1 << FT_TAGS_AREA_BITS,
    AREA_SHIFT = FT_TAGS_REGION_BITS + FT_TAGS_AREA_BITS,
    TABLE_AREAS = 1 << (FT_TAGS_ADDRESS_BITS - FT_TAGS_GRANULE_BITS - AREA_SHIFT),
    TABLE_BYTES = TABLE_AREAS * sizeof(ft_tags_area *),
    CHUNK_BYTES =
        1 << 18, /* large enough for the C library to map it: untouched pages cost nothing */
    CHUNK_HEAD = 16,
    LINK_BYTES = sizeof(void *),
    PAGE_BYTES = 4096
};

static_assert(sizeof(ft_tags_region) == 16 || sizeof(void *) != 8, "what tags.h promises");
static_assert(REGION_GRANULES / FT_TAGS_UNITS * sizeof(uint32_t) >= LINK_BYTES, "room for a link");

/* Its pages come when they are written to; huge ones would make 2 MiB of each. */
static ft_tags_area **map_table(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *table = mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    madvise(table, TABLE_BYTES, MADV_NOHUGEPAGE);
#endif
    return table;
}

ft_status ft_tags_init(ft_tags *tags, const ft_mem *mem, bool only_hash)
{
    *tags = (ft_tags){.mem = mem, .only_hash = only_hash};
    ft_block_map_init(&tags->large, mem);
    if (only_hash)
        return FT_OK;
    tags->table = map_table();
    tags->degraded = tags->table == NULL;
    if (tags->table != NULL)
        tags->reach = (uint64_t)TABLE_AREAS << AREA_SHIFT;
    return FT_OK;
}

void ft_tags_clear(ft_tags *tags)
{
    for (ft_tags_area *area = tags->areas, *next; area != NULL; area = next) {
        next = area->next;
        tags->table[area->number] = NULL;
        ft_mem_free(tags->mem, area);
    }
    for (void *chunk = tags->chunks, *next; chunk != NULL; chunk = next) {
        memcpy(&next, chunk, sizeof next);
        ft_mem_free(tags->mem, chunk);
    }
    ft_block_map_fini(&tags->large);
    *tags = (ft_tags){.mem = tags->mem,
                      .table = tags->table,
                      .reach = tags->reach,
                      .large = tags->large,
                      .degraded = tags->table == NULL && !tags->only_hash,
                      .only_hash = tags->only_hash};
}

void ft_tags_fini(ft_tags *tags)
{
    ft_tags_clear(tags);
    if (tags->table != NULL)
        munmap(tags->table, TABLE_BYTES);
    *tags = (ft_tags){.mem = tags->mem, .only_hash = true};
    ft_block_map_init(&tags->large, tags->mem);
}

/* The rows of a grid, whichever its column. */
static uint32_t rows(uint32_t unit)
{
    return (REGION_GRANULES + unit - 1) / unit;
}

static uint32_t *carve(ft_tags *tags, size_t bytes)
{
    if ((size_t)(tags->chunk_end - tags->chunk_at) < bytes) {
        char *chunk = ft_mem_resize(tags->mem, NULL, CHUNK_BYTES, 1);
        if (chunk == NULL)
            return NULL;
        memcpy(chunk, &tags->chunks, sizeof tags->chunks);
        tags->chunks = chunk;
        tags->chunk_at = chunk + CHUNK_HEAD;
        tags->chunk_end = chunk + CHUNK_BYTES;
    }
    void *array = tags->chunk_at;
    tags->chunk_at += bytes;
    tags->carved_bytes += bytes;
    return memset(array, 0, bytes);
}

/* An array of zeros for a grid of that unit; NULL when memory is out. */
static uint32_t *new_array(ft_tags *tags, uint32_t unit)
{
    uint32_t *array = tags->spare[unit];
    if (array == NULL)
        return carve(tags, rows(unit) * sizeof *array);
    memcpy(&tags->spare[unit], array, LINK_BYTES);
    memset(array, 0, LINK_BYTES);
    return array;
}

/* Takes an array of zeros back. */
static void give_back(ft_tags *tags, uint32_t *array, uint32_t unit)
{
    memcpy(array, &tags->spare[unit], LINK_BYTES);
    tags->spare[unit] = array;
}

void ft_tags_empty(ft_tags *tags, ft_tags_region *region)
{
    assert(region->live == 0 && region->tags != NULL);
    give_back(tags, region->tags, region->unit);
    *region = (ft_tags_region){.large = region->large};
}

static uint32_t place_of_row(const ft_tags_region *region, uint32_t row)
{
    return row * region->unit + region->column - 1u;
}

static uint32_t place_in_region(uint64_t granule)
{
    return (uint32_t)granule & (REGION_GRANULES - 1);
}

/* Whether every tag of the region would be on the grid of that unit that goes through `place`. */
static bool fits(const ft_tags_region *region, uint32_t unit, uint32_t place)
{
    for (uint32_t row = 0; region->live != 0 && row < rows(region->unit); row++)
        if (region->tags[row] != 0 && place_of_row(region, row) % unit != place % unit)
            return false;
    return true;
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The unit of a grid for a block of that size at `place` and all that the region has. */
static uint32_t unit_for(const ft_tags_region *region, uint32_t place, size_t size)
{
    uint32_t own = size == 0 ? 1 : (uint32_t)((size - 1) >> FT_TAGS_GRANULE_BITS) + 1;
    if (fits(region, own, place))
        return own;
    uint32_t first = region->column - 1u;
    return greatest_common_divisor(region->unit, place > first ? place - first : first - place);
}

/* Gives the region a grid that has a point for the block too. false: no memory, nothing changed. */
static bool make_grid(ft_tags *tags, ft_tags_region *region, uint32_t place, size_t size)
{
    uint32_t unit = unit_for(region, place, size);
    assert(unit >= 1 && unit <= FT_TAGS_UNITS);
    ft_tags_region made = {
        .tags = new_array(tags, unit),
        .reciprocal = (uint16_t)(((1u << FT_TAGS_RECIPROCAL_BITS) + unit - 1) / unit),
        .live = region->live,
        .large = region->large,
        .unit = (uint8_t)unit,
        .column = (uint8_t)(place % unit + 1),
    };
    if (made.tags == NULL)
        return false;
    if (region->tags != NULL) {
        uint32_t count = rows(region->unit);
        for (uint32_t row = 0; row < count; row++)
            if (region->tags[row] != 0)
                *ft_tags_point(&made, place_of_row(region, row)) = region->tags[row];
        memset(region->tags, 0, count * sizeof *region->tags);
        give_back(tags, region->tags, region->unit);
    }
    *region = made;
    return true;
}

/* The region of a granule, with its area made if need be; NULL if it is to be in the hash. */
static ft_tags_region *region_for(ft_tags *tags, uint64_t granule)
{
    ft_tags_region *region = ft_tags_region_of(tags, granule);
    if (region != NULL || granule >= tags->reach || tags->degraded)
        return region;
    ft_tags_area *area = ft_mem_new(tags->mem, 1, sizeof *area);
    if (area == NULL) {
        /* Made later it would not count the blocks that the hash had by then. */
        tags->degraded = true;
        return NULL;
    }
    area->number = granule >> AREA_SHIFT;
    area->next = tags->areas;
    tags->areas = area;
    tags->table[area->number] = area;
    tags->area_count++;
    return ft_tags_region_of(tags, granule);
}

static void remove_large(ft_tags *tags, ft_tags_region *region, ft_block_entry *entry)
{
    ft_block_map_remove(&tags->large, entry);
    if (region != NULL)
        region->large--;
}

static bool put_small(ft_tags *tags, ft_tags_region *region, uint64_t granule, size_t size,
                      uint32_t tag)
{
    if (ft_tags_point(region, granule) == NULL &&
        !make_grid(tags, region, place_in_region(granule), size))
        return false;
    uint32_t *point = ft_tags_point(region, granule);
    region->live = (uint16_t)(region->live + (*point == 0));
    *point = tag;
    return true;
}

bool ft_tags_put_slowly(ft_tags *tags, uintptr_t address, size_t size, uint32_t tag)
{
    uint64_t granule = ft_tags_granule(address);
    ft_tags_region *region = region_for(tags, granule);
    if (region != NULL && size <= FT_TAGS_SMALL_BYTES &&
        put_small(tags, region, granule, size, tag)) {
        ft_block_entry *old = region->large == 0 ? NULL : ft_tags_find_large(tags, address);
        if (old != NULL)
            remove_large(tags, region, old);
        return true;
    }
    uint32_t *point = region == NULL ? NULL : ft_tags_point(region, granule);
    if (point != NULL && *point != 0)
        ft_tags_remove(tags, region, point);
    uint32_t before = tags->large.count;
    ft_block_entry block = {.address = address, .size = size, .tag = tag};
    if (!ft_block_map_put(&tags->large, block))
        return false;
    if (region != NULL)
        region->large = (uint16_t)(region->large + (tags->large.count - before));
    return true;
}

ft_block_entry *ft_tags_find_large(const ft_tags *tags, uintptr_t address)
{
    return ft_block_map_find(&tags->large, address);
}

uint32_t ft_tags_take_slowly(ft_tags *tags, uintptr_t address, size_t *large_size)
{
    ft_block_entry *entry = ft_tags_find_large(tags, address);
    if (entry == NULL)
        return 0;
    uint32_t tag = entry->tag;
    *large_size = (size_t)entry->size;
    remove_large(tags, ft_tags_region_of(tags, ft_tags_granule(address)), entry);
    return tag;
}

void ft_tags_each_large(const ft_tags *tags, ft_tags_visit *visit, void *context)
{
    for (uint32_t i = 0; i < tags->large.capacity; i++) {
        const ft_block_entry *entry = &tags->large.entries[i];
        if (entry->tag != 0)
            visit(context, (uintptr_t)entry->address, (size_t)entry->size, entry->tag);
    }
}

static void visit_region(const ft_tags_region *region, uint64_t first_granule, ft_tags_visit *visit,
                         void *context)
{
    for (uint32_t row = 0; row < rows(region->unit); row++) {
        uint64_t granule = first_granule + place_of_row(region, row);
        if (region->tags[row] != 0)
            visit(context, (uintptr_t)(granule << FT_TAGS_GRANULE_BITS), 0, region->tags[row]);
    }
}

void ft_tags_each(const ft_tags *tags, ft_tags_visit *visit, void *context)
{
    for (const ft_tags_area *area = tags->areas; area != NULL; area = area->next) {
        for (uint32_t i = 0; i < AREA_REGIONS; i++) {
            uint64_t number = area->number << FT_TAGS_AREA_BITS | i;
            if (area->regions[i].live != 0)
                visit_region(&area->regions[i], number << FT_TAGS_REGION_BITS, visit, context);
        }
    }
    ft_tags_each_large(tags, visit, context);
}

uint64_t ft_tags_bytes(const ft_tags *tags)
{
    return tags->area_count * (sizeof(ft_tags_area) + PAGE_BYTES) + tags->carved_bytes +
           tags->large.capacity * (uint64_t)sizeof *tags->large.entries;
}

/* Adds the blocks that the region has in the hash to *large. */
static bool check_region(const ft_tags_region *region, uint64_t *large)
{
    *large += region->large;
    if (region->live == 0)
        return region->tags == NULL && region->unit == 0 && region->column == 0 &&
               region->reciprocal == 0;
    if (region->tags == NULL || region->unit < 1 || region->unit > FT_TAGS_UNITS ||
        region->column < 1 || region->column > region->unit)
        return false;
    uint32_t live = 0;
    for (uint32_t row = 0; row < rows(region->unit); row++) {
        uint32_t place = place_of_row(region, row);
        if (place < REGION_GRANULES && ft_tags_point(region, place) != &region->tags[row])
            return false;
        if (place >= REGION_GRANULES && region->tags[row] != 0)
            return false;
        live += region->tags[row] != 0;
    }
    return live == region->live;
}

/* Whether no block of the hash has a point with a tag besides; counts those in regions. */
static bool check_large(const ft_tags *tags, uint64_t *in_regions)
{
    for (uint32_t i = 0; i < tags->large.capacity; i++) {
        const ft_block_entry *entry = &tags->large.entries[i];
        uint64_t granule = ft_tags_granule((uintptr_t)entry->address);
        const ft_tags_region *region = ft_tags_region_of(tags, granule);
        if (entry->tag == 0 || region == NULL)
            continue;
        const uint32_t *point = ft_tags_point(region, granule);
        if (region->large == 0 || (point != NULL && *point != 0))
            return false;
        ++*in_regions;
    }
    return true;
}

bool ft_tags_check(const ft_tags *tags)
{
    uint64_t areas = 0, counted = 0, in_regions = 0;
    for (const ft_tags_area *area = tags->areas; area != NULL; area = area->next, areas++) {
        if (tags->table[area->number] != area)
            return false;
        for (uint32_t i = 0; i < AREA_REGIONS; i++)
            if (!check_region(&area->regions[i], &counted))
                return false;
    }
    return areas == tags->area_count && ft_block_map_check(&tags->large) &&
           check_large(tags, &in_regions) && counted == in_regions;
}
