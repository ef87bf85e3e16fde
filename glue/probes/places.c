/* SPDX-License-Identifier: Apache-2.0 */
/* places.c: where the program is, for the heap (see places.h).
 *
 * It runs inside an allocator, perhaps without the GIL: it reads objects that the thread's own
 * frames keep alive, and neither makes nor changes any. */
#include "glue/probes/places.h"

#include "engine/model/code.h"
#include "glue/probes/plain_text.h"

enum { FEW_FRAMES = 32 };

/* The number of the code's record; 0 without room. */
static uint32_t declare(ft_heap_part *part, PyCodeObject *code, ft_place_guard *guard)
{
    const ft_mem *mem = part->heap->recording->mem;
    char *buffers = ft_mem_new(mem, 3, FT_NAME_MAX_BYTES); /* a thread may have little stack left */
    PyObject *const texts[3] = {code->co_filename, code->co_name, ft_compat_qualname(code)};
    ft_function function = {
        .kind = FT_CODE_PYTHON,
        .line = code->co_firstlineno > 0 ? (uint32_t)code->co_firstlineno : 0,
    };
    for (int i = 0; i < 3 && buffers != NULL; i++) {
        function.texts[i] = buffers + i * FT_NAME_MAX_BYTES;
        function.lengths[i] = ft_plain_text(texts[i], buffers + i * FT_NAME_MAX_BYTES);
    }
    uint32_t number = 0;
    if (buffers != NULL)
        number = ft_heap_declare_code(part, guard != NULL ? code : NULL, &function);
    ft_mem_free(mem, buffers);
    if (number != 0 && guard != NULL)
        guard(code);
    return number;
}

/* ---- stacks ---- */

static uint32_t count_frames(const ft_frame *frame, uint32_t limit)
{
    uint32_t count = 0;
    for (; frame != NULL && count < limit; frame = ft_compat_previous(frame))
        count += !ft_compat_is_passed(frame);
    return count;
}

/* The places of up to `limit` frames, innermost first: how many; FT_HEAP_FRAMES_MAX + 1 without
 * room. */
static uint32_t read_places(ft_heap_part *part, const ft_frame *frame, uint32_t limit,
                            ft_place_guard *guard, ft_heap_place *places)
{
    uint32_t count = 0;
    for (; frame != NULL && count < limit; frame = ft_compat_previous(frame)) {
        if (ft_compat_is_passed(frame))
            continue;
        PyCodeObject *code = ft_compat_frame_code(frame);
        int line = ft_compat_frame_line(frame);
        uint32_t number = guard == NULL ? 0 : ft_heap_code_of(part, code);
        if (number == 0)
            number = declare(part, code, guard);
        if (number == 0)
            return FT_HEAP_FRAMES_MAX + 1;
        places[count++] = (ft_heap_place){.code = number, .line = line > 0 ? (uint32_t)line : 0};
    }
    return count;
}

/* The number of the site that the stack is; 0 without room. */
static uint32_t find_site(ft_heap_part *part, const ft_frame *frame, uint32_t domain,
                          ft_place_guard *guard)
{
    ft_heap_place few[FEW_FRAMES], *places = few;
    const ft_mem *mem = part->heap->recording->mem;
    uint32_t limit = count_frames(frame, part->heap->frames), site = 0;
    if (limit > FEW_FRAMES)
        places = ft_mem_new(mem, limit, sizeof *places);
    if (places == NULL)
        return 0;
    uint32_t count = read_places(part, frame, limit, guard, places);
    if (count <= limit)
        site = ft_heap_site_of(part, places, count, domain);
    if (site != 0 && guard != NULL) /* else it is asked for each block, and may be deep */
        ft_heap_note_depth(part, site, count_frames(frame, FT_HEAP_FRAMES_MAX));
    if (places != few)
        ft_mem_free(mem, places);
    return site;
}

uint32_t ft_place_tag(ft_heap_part *part, uint64_t key, const ft_frame *frame, uint32_t domain,
                      size_t size, ft_place_guard *guard)
{
    uint32_t sized = ft_heap_size_of(part, size);
    uint32_t site = guard == NULL ? 0 : ft_heap_known_site(part, key);
    if (site == 0)
        site = find_site(part, frame, domain, guard);
    if (site == 0)
        return 0;
    if (guard != NULL)
        ft_heap_remember(part, key, site);
    return ft_heap_tag_of(part, site, sized);
}
