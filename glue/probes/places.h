/* SPDX-License-Identifier: Apache-2.0 */
/* places.h: where the program is, for the heap: the stack of a thread as a key, and what the key
 * stands for.
 *
 * A key is made of the instruction pointers of the frames, so that a known place costs no look at
 * lines or names. It stays right as long as no code object's address is used again: the blocks of
 * code that keys point into are not given back before the recording ends
 * (alloc_hooks.c). */
#ifndef FT_GLUE_PROBES_PLACES_H
#define FT_GLUE_PROBES_PLACES_H

#include "glue/compat.h"

#include "engine/record/heap.h"

/* Is told of each code object that a key points into, once for each part: its memory is not to be
 * used again. */
typedef void ft_place_guard(PyCodeObject *code);

/* The key of up to `limit` frames from this one on, which must be visible; NULL: no frame. */
static inline uint64_t ft_place_key(const ft_frame *frame, uint32_t limit, uint32_t domain)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t key = (uint64_t)domain << 48;
    if (frame == NULL)
        return key;
    if (FT_LIKELY(limit == 1))
        return key ^ (uint64_t)ft_compat_instruction(frame);
    for (uint32_t left = limit; frame != NULL && left > 0; frame = ft_compat_previous(frame)) {
        if (FT_UNLIKELY(ft_compat_is_passed(frame)))
            continue;
        key = (key ^ (uint64_t)ft_compat_instruction(frame)) * odd;
        key ^= key >> 29;
        left--;
    }
    return key;
}

/* The tag of blocks of `size` from where the key stands for, which is found out if it is not known;
 * 0 without room (noted). guard NULL: nothing may be remembered, for the GIL is not held. */
uint32_t ft_place_tag(ft_heap_part *part, uint64_t key, const ft_frame *frame, uint32_t domain,
                      size_t size, ft_place_guard *guard);

#endif
