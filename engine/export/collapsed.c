/* SPDX-License-Identifier: Apache-2.0 */
/* collapsed.c: collapsed stacks, the lines that flame graph tools read:
 *     outermost;...;innermost nanoseconds
 *
 * A line for each node with own time; nothing is summed here, for every reader sums equal stacks.
 * Each function's frame is spelled once, before the lines: a line is then copied together. */
#include <assert.h>

#include "engine/export/exporter.h"
#include "engine/export/paths.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_collapsed;

typedef struct frames {
    ft_buf text;    /* of all codes, one behind the other */
    size_t *starts; /* owned: by code */
    size_t *widths; /* owned: by code, with the separator */
    uint32_t *path; /* owned: room for the codes of the longest path */
} frames;

/* "name (file:line)", as samplers of Python write it; a C function's label says it all. */
static void spell_frame(ft_buf *out, const ft_profile *profile, const ft_code *code)
{
    ft_spell_line(out, ft_spell_name(profile, code), ';');
    if (code->kind != FT_CODE_PYTHON)
        return;
    ft_buf_put_text(out, " (");
    ft_spell_line(out, ft_strtab_get(&profile->texts, code->file), ';');
    ft_buf_put_byte(out, ':');
    ft_spell_number(out, code->line);
    ft_buf_put_byte(out, ')');
}

static ft_status spell_frames(frames *all, const ft_profile *profile)
{
    uint32_t codes = profile->codes.count;
    all->starts = ft_mem_new(profile->mem, codes, sizeof *all->starts);
    all->widths = ft_mem_new(profile->mem, codes, sizeof *all->widths);
    if (all->starts == NULL || all->widths == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 1; i < codes; i++) {
        all->starts[i] = all->text.length;
        spell_frame(&all->text, profile, &profile->codes.codes[i]);
        all->widths[i] = all->text.length - all->starts[i] + 1;
    }
    return ft_buf_status(&all->text);
}

static void put_line(ft_buf *out, const frames *all, const ft_tree *tree, uint32_t id)
{
    uint32_t depth = 0;
    for (uint32_t at = id; at != 0; at = tree->nodes[at].parent)
        all->path[depth++] = tree->nodes[at].code;
    while (depth > 0) {
        uint32_t code = all->path[--depth];
        assert(all->widths[code] > 1); /* no frame is empty */
        ft_buf_put(out, all->text.data + all->starts[code], all->widths[code] - 1);
        ft_buf_put_byte(out, depth > 0 ? ';' : ' ');
    }
    ft_spell_number(out, tree->nodes[id].own);
    ft_buf_put_byte(out, '\n');
}

static ft_status write_collapsed(const ft_profile *profile, ft_buf *out)
{
    frames all = {0};
    ft_buf_init(&all.text, profile->mem);
    ft_status status = spell_frames(&all, profile);
    if (status == FT_OK)
        status = ft_paths_check(profile, all.widths);
    uint32_t longest = ft_paths_largest_tree(profile);
    all.path = ft_mem_resize(profile->mem, NULL, longest, sizeof *all.path);
    if (status == FT_OK && all.path == NULL)
        status = FT_ERR_MEMORY;
    for (uint32_t i = 0; i < profile->thread_count && status == FT_OK; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count && status == FT_OK; id++) {
            if (tree->nodes[id].own > 0)
                put_line(out, &all, tree, id);
            status = ft_buf_status(out);
        }
    }
    ft_mem_free(profile->mem, all.path);
    ft_mem_free(profile->mem, all.widths);
    ft_mem_free(profile->mem, all.starts);
    ft_buf_fini(&all.text);
    return status;
}

const ft_exporter ft_exporter_collapsed = {
    .name = "collapsed",
    .suffix = ".collapsed",
    .description = "stacks in lines: for flamegraph.pl, inferno and others",
    .write = write_collapsed,
    .comfort = {.nodes = 100000, .frames = 1000000}, /* 50 MB */
};
