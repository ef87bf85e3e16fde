/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: a recording in memory (see profile.h). merge.c has ft_profile_merge. */
#include "engine/model/profile.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/array.h"

ft_status ft_profile_init(ft_profile *profile, const ft_mem *mem)
{
    *profile = (ft_profile){.mem = mem, .memory = {.mem = mem, .sites = {.mem = mem}}};
    ft_lines_init(&profile->lines, mem);
    ft_samples_init(&profile->samples, mem);
    ft_spans_init(&profile->spans, mem);
    ft_status status = ft_strtab_init(&profile->texts, mem);
    if (status != FT_OK)
        goto fail;
    status = ft_codetab_init(&profile->codes, mem);
    if (status != FT_OK)
        goto fail;
    status = ft_memory_init(&profile->memory, mem);
    if (status != FT_OK)
        goto fail;
    return FT_OK;

fail:
    ft_profile_fini(profile);
    return status;
}

void ft_profile_fini(ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++)
        ft_tree_fini(&profile->threads[i].tree);
    ft_spans_fini(&profile->spans);
    ft_samples_fini(&profile->samples);
    ft_memory_fini(&profile->memory);
    ft_mem_free(profile->mem, profile->sources);
    ft_lines_fini(&profile->lines);
    ft_mem_free(profile->mem, profile->notes);
    ft_mem_free(profile->mem, profile->threads);
    ft_mem_free(profile->mem, profile->processes);
    ft_mem_free(profile->mem, profile->meta);
    ft_codetab_fini(&profile->codes);
    ft_strtab_fini(&profile->texts);
    *profile = (ft_profile){.mem = profile->mem,
                            .lines = {.mem = profile->mem},
                            .memory = {.mem = profile->mem, .sites = {.mem = profile->mem}},
                            .samples = {.mem = profile->mem},
                            .spans = {.mem = profile->mem}};
}

/* ft_array_grow for one more element, with the bound of uint32 indices. */
static ft_status grow(const ft_profile *profile, void **block, uint32_t count, uint32_t *capacity,
                      size_t size)
{
    if (count == UINT32_MAX)
        return FT_ERR_LIMIT;
    void *grown = ft_array_grow(profile->mem, *block, count + 1, capacity, size);
    if (grown == NULL)
        return FT_ERR_MEMORY;
    *block = grown;
    return FT_OK;
}

ft_status ft_profile_put_meta(ft_profile *profile, uint32_t key, uint32_t value)
{
    assert(key < profile->texts.count && value < profile->texts.count);
    for (uint32_t i = 0; i < profile->meta_count; i++) {
        if (profile->meta[i].key == key) {
            profile->meta[i].value = value;
            return FT_OK;
        }
    }
    void *block = profile->meta;
    ft_status status =
        grow(profile, &block, profile->meta_count, &profile->meta_capacity, sizeof *profile->meta);
    if (status != FT_OK)
        return status;
    profile->meta = block;
    profile->meta[profile->meta_count++] = (ft_meta){key, value};
    return FT_OK;
}

ft_status ft_profile_set_meta(ft_profile *profile, const char *key, const char *value)
{
    uint32_t key_id, value_id;
    ft_status status = ft_strtab_intern(&profile->texts, key, strlen(key), &key_id);
    if (status != FT_OK)
        return status;
    status = ft_strtab_intern(&profile->texts, value, strlen(value), &value_id);
    if (status != FT_OK)
        return status;
    return ft_profile_put_meta(profile, key_id, value_id);
}

const char *ft_profile_get_meta(const ft_profile *profile, const char *key)
{
    size_t length = strlen(key);
    for (uint32_t i = 0; i < profile->meta_count; i++) {
        ft_text have = ft_strtab_get(&profile->texts, profile->meta[i].key);
        if (have.length == length && memcmp(have.data, key, length) == 0)
            return ft_strtab_get(&profile->texts, profile->meta[i].value).data;
    }
    return NULL;
}

ft_status ft_profile_add_process(ft_profile *profile, const ft_process *process, uint32_t *index)
{
    ft_process copy = *process; /* it may lie in the array that is about to move */
    void *block = profile->processes;
    ft_status status = grow(profile, &block, profile->process_count, &profile->process_capacity,
                            sizeof *profile->processes);
    if (status != FT_OK)
        return status;
    profile->processes = block;
    profile->processes[profile->process_count] = copy;
    *index = profile->process_count++;
    return FT_OK;
}

ft_status ft_profile_add_thread(ft_profile *profile, uint32_t process, uint32_t name,
                                uint32_t *index)
{
    void *block = profile->threads;
    ft_status status = grow(profile, &block, profile->thread_count, &profile->thread_capacity,
                            sizeof *profile->threads);
    if (status != FT_OK)
        return status;
    profile->threads = block;
    ft_thread *thread = &profile->threads[profile->thread_count];
    *thread = (ft_thread){.process = process, .name = name, .uses = 1};
    status = ft_tree_init(&thread->tree, profile->mem);
    if (status != FT_OK)
        return status;
    *index = profile->thread_count++;
    return FT_OK;
}

ft_status ft_profile_add_note(ft_profile *profile, const ft_note *note)
{
    ft_note copy = *note;
    void *block = profile->notes;
    ft_status status =
        grow(profile, &block, profile->note_count, &profile->note_capacity, sizeof *profile->notes);
    if (status != FT_OK)
        return status;
    profile->notes = block;
    profile->notes[profile->note_count++] = copy;
    return FT_OK;
}

const ft_source *ft_profile_get_source(const ft_profile *profile, uint32_t file)
{
    for (uint32_t i = 0; i < profile->source_count; i++)
        if (profile->sources[i].file == file)
            return &profile->sources[i];
    return NULL;
}

ft_status ft_profile_set_source(ft_profile *profile, uint32_t file, uint32_t text)
{
    assert(file < profile->texts.count && text < profile->texts.count);
    if (profile->source_count >= FT_MAX_SOURCES || ft_profile_get_source(profile, file) != NULL)
        return FT_OK;
    void *block = profile->sources;
    ft_status status = grow(profile, &block, profile->source_count, &profile->source_capacity,
                            sizeof *profile->sources);
    if (status != FT_OK)
        return status;
    profile->sources = block;
    profile->sources[profile->source_count++] = (ft_source){file, text};
    return FT_OK;
}

static bool codes_are_valid(const ft_profile *profile)
{
    const ft_codetab *codes = &profile->codes;
    uint32_t texts = profile->texts.count;
    if (codes->count == 0 || codes->codes[FT_CODE_NONE].kind != FT_CODE_ROOT)
        return false;
    for (uint32_t i = 0; i < codes->count; i++) {
        const ft_code *code = &codes->codes[i];
        if (code->file >= texts || code->name >= texts || code->qualname >= texts)
            return false;
        if (code->kind >= FT_CODE_KINDS || (code->kind == FT_CODE_ROOT) != (i == FT_CODE_NONE))
            return false;
    }
    return true;
}

static bool tree_is_valid(const ft_profile *profile, const ft_tree *tree)
{
    if (tree->count == 0 || tree->nodes[0].parent != 0 || tree->nodes[0].code != FT_CODE_NONE)
        return false;
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        if (node->parent >= id || node->code >= profile->codes.count || node->code == FT_CODE_NONE)
            return false;
    }
    return true;
}

static bool links_are_valid(const ft_profile *profile, const ft_tree *tree)
{
    const ft_code *codes = profile->codes.codes;
    for (uint32_t i = 0; i < tree->link_count; i++) {
        const ft_link *link = &tree->links[i];
        if (link->marker >= tree->count || link->creator >= link->marker || link->creator == 0 ||
            (i > 0 && link->marker <= tree->links[i - 1].marker) ||
            codes[tree->nodes[link->marker].code].kind != FT_CODE_TASK)
            return false;
    }
    return true;
}

static bool threads_are_valid(const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_thread *thread = &profile->threads[i];
        if (thread->process >= profile->process_count || thread->name >= profile->texts.count)
            return false;
        if (!tree_is_valid(profile, &thread->tree) || !links_are_valid(profile, &thread->tree))
            return false;
    }
    return true;
}

static bool lines_are_valid(const ft_profile *profile)
{
    const ft_codetab *codes = &profile->codes;
    for (uint32_t i = 0; i < profile->lines.count; i++) {
        const ft_line *line = &profile->lines.lines[i];
        if (line->code >= codes->count || codes->codes[line->code].kind != FT_CODE_PYTHON ||
            !ft_line_is_sound(line))
            return false;
    }
    return true;
}

static bool sources_are_valid(const ft_profile *profile)
{
    if (profile->source_count > FT_MAX_SOURCES)
        return false;
    for (uint32_t i = 0; i < profile->source_count; i++) {
        const ft_source *source = &profile->sources[i];
        if (source->file >= profile->texts.count || source->text >= profile->texts.count)
            return false;
    }
    return true;
}

static bool texts_are_valid(const ft_strtab *texts)
{
    if (texts->count == 0 || texts->offsets[0] != 0 || texts->offsets[texts->count] != texts->used)
        return false;
    for (uint32_t i = 0; i < texts->count; i++)
        if (texts->offsets[i] >= texts->offsets[i + 1])
            return false;
    return texts->offsets[1] == 1; /* text 0 is empty */
}

ft_status ft_profile_check(const ft_profile *profile)
{
    uint32_t texts = profile->texts.count;
    if (!texts_are_valid(&profile->texts) || !codes_are_valid(profile))
        return FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < profile->meta_count; i++)
        if (profile->meta[i].key >= texts || profile->meta[i].value >= texts)
            return FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < profile->process_count; i++)
        if (profile->processes[i].command >= texts || profile->processes[i].python >= texts)
            return FT_ERR_CORRUPT;
    for (uint32_t i = 0; i < profile->note_count; i++)
        if (profile->notes[i].process >= profile->process_count)
            return FT_ERR_CORRUPT;
    if (!lines_are_valid(profile) || !sources_are_valid(profile) ||
        !ft_memory_is_valid(&profile->memory, &profile->codes, texts, profile->process_count) ||
        !ft_samples_are_valid(&profile->samples, texts) ||
        !ft_spans_are_valid(&profile->spans, profile->process_count, profile->thread_count))
        return FT_ERR_CORRUPT;
    return threads_are_valid(profile) ? FT_OK : FT_ERR_CORRUPT;
}
