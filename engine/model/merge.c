/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c: one profile appended to another.
 *
 * Ids mean something only inside their own profile, so the texts and codes of `from` are interned
 * into `into` first; two tables of new ids then translate everything else. On a failure what was
 * appended is taken back; texts and codes that nobody refers to may stay behind, unseen. */
#include <assert.h>
#include <stdbool.h>

#include "engine/model/profile.h"

typedef struct renumbering {
    uint32_t *texts;        /* owned: id in into of each text of from */
    uint32_t *codes;        /* owned: the same for codes */
    uint32_t *sites;        /* owned: and for sites */
    uint32_t first_process; /* index in into of from's first process ... */
    uint32_t first_thread;  /* ... and thread */
} renumbering;

static ft_status renumber_texts(ft_profile *into, const ft_profile *from, renumbering *map)
{
    map->texts = ft_mem_new(into->mem, from->texts.count, sizeof *map->texts);
    if (map->texts == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t id = 0; id < from->texts.count; id++) {
        ft_text text = ft_strtab_get(&from->texts, id);
        ft_status status = ft_strtab_intern(&into->texts, text.data, text.length, &map->texts[id]);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status renumber_codes(ft_profile *into, const ft_profile *from, renumbering *map)
{
    map->codes = ft_mem_new(into->mem, from->codes.count, sizeof *map->codes);
    if (map->codes == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t id = 0; id < from->codes.count; id++) {
        ft_code code = from->codes.codes[id];
        code.file = map->texts[code.file];
        code.name = map->texts[code.name];
        code.qualname = map->texts[code.qualname];
        ft_status status = ft_codetab_intern(&into->codes, &code, &map->codes[id]);
        if (status != FT_OK)
            return status;
    }
    assert(map->codes[FT_CODE_NONE] == FT_CODE_NONE);
    return FT_OK;
}

static bool has_meta(const ft_profile *profile, uint32_t key)
{
    for (uint32_t i = 0; i < profile->meta_count; i++)
        if (profile->meta[i].key == key)
            return true;
    return false;
}

static ft_status merge_meta(ft_profile *into, const ft_profile *from, const renumbering *map)
{
    for (uint32_t i = 0; i < from->meta_count; i++) {
        uint32_t key = map->texts[from->meta[i].key];
        uint32_t value = map->texts[from->meta[i].value];
        ft_status status = has_meta(into, key) ? FT_OK : ft_profile_put_meta(into, key, value);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status merge_processes(ft_profile *into, const ft_profile *from, const renumbering *map)
{
    uint32_t index;
    for (uint32_t i = 0; i < from->process_count; i++) {
        ft_process process = from->processes[i];
        process.command = map->texts[process.command];
        process.python = map->texts[process.python];
        ft_status status = ft_profile_add_process(into, &process, &index);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status copy_tree(ft_tree *to, const ft_tree *from, const renumbering *map)
{
    ft_status status = ft_tree_reserve(to, from->count);
    if (status != FT_OK)
        return status;
    for (uint32_t id = 0; id < from->count; id++) {
        to->nodes[id] = from->nodes[id];
        to->nodes[id].code = map->codes[from->nodes[id].code];
    }
    to->count = from->count;
    for (uint32_t i = 0; i < from->link_count && status == FT_OK; i++)
        status = ft_tree_add_link(to, from->links[i].marker, from->links[i].creator);
    return status;
}

static ft_status merge_threads(ft_profile *into, const ft_profile *from, const renumbering *map)
{
    uint32_t index;
    for (uint32_t i = 0; i < from->thread_count; i++) {
        const ft_thread *thread = &from->threads[i];
        ft_status status = ft_profile_add_thread(into, map->first_process + thread->process,
                                                 map->texts[thread->name], &index);
        if (status != FT_OK)
            return status;
        into->threads[index].uses = thread->uses;
        status = copy_tree(&into->threads[index].tree, &thread->tree, map);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status merge_notes(ft_profile *into, const ft_profile *from, const renumbering *map)
{
    for (uint32_t i = 0; i < from->note_count; i++) {
        ft_note note = from->notes[i];
        note.process += map->first_process;
        ft_status status = ft_profile_add_note(into, &note);
        if (status != FT_OK)
            return status;
    }
    return FT_OK;
}

static ft_status merge_sources(ft_profile *into, const ft_profile *from, const renumbering *map)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->source_count && status == FT_OK; i++)
        status = ft_profile_set_source(into, map->texts[from->sources[i].file],
                                       map->texts[from->sources[i].text]);
    return status;
}

static ft_status merge_memory(ft_profile *into, const ft_profile *from, renumbering *map)
{
    const ft_memory_ids ids = {map->texts, map->codes, map->first_process};
    map->sites = ft_mem_new(into->mem, from->memory.sites.count, sizeof *map->sites);
    if (map->sites == NULL)
        return FT_ERR_MEMORY;
    return ft_memory_merge(&into->memory, &from->memory, ids, map->sites);
}

static ft_status merge_all(ft_profile *into, const ft_profile *from, renumbering *map)
{
    ft_status status = renumber_texts(into, from, map);
    if (status == FT_OK)
        status = renumber_codes(into, from, map);
    if (status == FT_OK)
        status = merge_meta(into, from, map);
    if (status == FT_OK)
        status = merge_processes(into, from, map);
    if (status == FT_OK)
        status = merge_threads(into, from, map);
    if (status == FT_OK)
        status = merge_notes(into, from, map);
    if (status == FT_OK)
        status = merge_sources(into, from, map);
    if (status == FT_OK)
        status = ft_samples_merge(&into->samples, &from->samples, map->texts);
    if (status == FT_OK)
        status = ft_spans_merge(&into->spans, &from->spans, map->first_process, map->first_thread);
    if (status == FT_OK)
        status = merge_memory(into, from, map);
    if (status == FT_OK) /* from here on because sums can not be taken back */
        status = ft_lines_merge(&into->lines, &from->lines, map->codes);
    if (status == FT_OK)
        ft_memory_sum(&into->memory, &from->memory, map->sites);
    return status;
}

static void take_back(ft_profile *into, const ft_profile *before)
{
    while (into->thread_count > before->thread_count)
        ft_tree_fini(&into->threads[--into->thread_count].tree);
    into->meta_count = before->meta_count;
    into->process_count = before->process_count;
    into->note_count = before->note_count;
    into->source_count = before->source_count;
    ft_samples_cut(&into->samples, &before->samples);
    ft_spans_cut(&into->spans, &before->spans);
    ft_memory_cut(&into->memory, &before->memory);
}

ft_status ft_profile_merge(ft_profile *into, const ft_profile *from)
{
    assert(into != from);
    const ft_profile before = *into; /* its counts only: the blocks may move */
    renumbering map = {.first_process = into->process_count, .first_thread = into->thread_count};
    ft_status status = merge_all(into, from, &map);
    if (status != FT_OK)
        take_back(into, &before);
    ft_mem_free(into->mem, map.sites);
    ft_mem_free(into->mem, map.codes);
    ft_mem_free(into->mem, map.texts);
    return status;
}
