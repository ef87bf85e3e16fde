/* SPDX-License-Identifier: Apache-2.0 */
/* speedscope.c: the recording in speedscope's own file format.
 *
 * A profile for each thread's tree, of the "evented" kind, laid out as layout.h says: a function
 * opens at the own time that was passed before it and closes behind its last callee. That is two
 * events a node, however deep the paths are. Frame i is code i + 1. */
#include <stdint.h>

#include "engine/base/sum.h"
#include "engine/export/exporter.h"
#include "engine/export/layout.h"
#include "engine/export/paths.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_speedscope;

typedef struct walk {
    const ft_tree *tree;
    const ft_layout *links;
    ft_buf *out;
    uint64_t now; /* ns: the own times passed so far, saturating as all sums do */
    uint32_t events;
} walk;

static void put_frames(ft_buf *out, const ft_profile *profile)
{
    for (uint32_t i = 1; i < profile->codes.count; i++) {
        const ft_code *code = &profile->codes.codes[i];
        ft_buf_put_text(out, i == 1 ? "\n  {\"name\":" : ",\n  {\"name\":");
        ft_spell_json(out, ft_spell_name(profile, code));
        if (code->kind == FT_CODE_PYTHON) {
            ft_buf_put_text(out, ",\"file\":");
            ft_spell_json(out, ft_strtab_get(&profile->texts, code->file));
            ft_buf_put_text(out, ",\"line\":");
            ft_spell_number(out, code->line);
        }
        ft_buf_put_byte(out, '}');
    }
}

static void put_event(walk *here, char type, uint32_t id)
{
    ft_buf_put_text(here->out, here->events++ == 0 ? "\n   " : ",\n   ");
    ft_buf_printf(here->out, "{\"type\":\"%c\",\"frame\":%u,\"at\":", type,
                  (unsigned)(here->tree->nodes[id].code - 1));
    ft_spell_number(here->out, here->now);
    ft_buf_put_byte(here->out, '}');
}

static void pass(walk *here, uint64_t own)
{
    here->now = ft_sum(here->now, own);
}

static void put_events(walk *here)
{
    const ft_node *nodes = here->tree->nodes;
    uint32_t id = here->links[0].first;
    while (id != 0) {
        put_event(here, 'O', id);
        pass(here, nodes[id].own);
        if (here->links[id].first != 0) {
            id = here->links[id].first;
            continue;
        }
        put_event(here, 'C', id);
        while (here->links[id].next == 0 && nodes[id].parent != 0) {
            id = nodes[id].parent;
            put_event(here, 'C', id);
        }
        id = here->links[id].next;
    }
}

static uint64_t total_own(const ft_tree *tree)
{
    walk sum = {0};
    for (uint32_t id = 1; id < tree->count; id++)
        pass(&sum, tree->nodes[id].own);
    return sum.now;
}

static void put_thread(ft_buf *out, const ft_profile *profile, uint32_t index, ft_layout *room)
{
    const ft_thread *thread = &profile->threads[index];
    walk here = {.tree = &thread->tree, .links = room, .out = out};
    ft_text name = ft_strtab_get(&profile->texts, thread->name);
    ft_buf label;
    ft_buf_init(&label, profile->mem);
    ft_buf_put(&label, name.data, name.length);
    ft_buf_printf(&label, " (pid %u)", (unsigned)profile->processes[thread->process].pid);
    ft_buf_put_text(out, index == 0 ? "\n  " : ",\n  ");
    ft_buf_put_text(out, "{\"type\":\"evented\",\"name\":");
    ft_spell_json(out, (ft_text){(const char *)label.data, label.length});
    ft_buf_put_text(out, ",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":");
    ft_spell_number(out, total_own(here.tree));
    ft_buf_put_text(out, ",\"events\":[");
    ft_layout_link(room, here.tree);
    put_events(&here);
    ft_buf_put_text(out, "]}");
    if (ft_buf_status(&label) != FT_OK)
        out->status = ft_buf_status(&label);
    ft_buf_fini(&label);
}

static ft_status write_speedscope(const ft_profile *profile, ft_buf *out)
{
    ft_layout *room =
        ft_mem_resize(profile->mem, NULL, ft_paths_largest_tree(profile), sizeof *room);
    if (room == NULL)
        return FT_ERR_MEMORY;
    ft_buf_put_text(out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                         " \"exporter\":\"fettle\",\n \"shared\":{\"frames\":[");
    put_frames(out, profile);
    ft_buf_put_text(out, "]},\n \"profiles\":[");
    for (uint32_t i = 0; i < profile->thread_count; i++)
        put_thread(out, profile, i, room);
    ft_buf_put_text(out, "]}\n");
    ft_mem_free(profile->mem, room);
    return ft_buf_status(out);
}

const ft_exporter ft_exporter_speedscope = {
    .name = "speedscope",
    .suffix = ".speedscope.json",
    .description = "every path, for speedscope.app",
    .write = write_speedscope,
    .comfort = FT_EXPORTER_PATHS_COMFORT,
};
