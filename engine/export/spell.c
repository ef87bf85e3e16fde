/* SPDX-License-Identifier: Apache-2.0 */
/* spell.c: texts and kinds as every export spells them (see spell.h). */
#include "engine/export/spell.h"

#include <assert.h>

#include "engine/model/code.h"
#include "engine/model/profile.h"

size_t ft_spell_utf8(const char *text, size_t length, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    assert(length > 0);
    uint32_t first = bytes[0];
    size_t size = first < 0x80         ? 1
                  : first >> 5 == 0x06 ? 2
                  : first >> 4 == 0x0E ? 3
                  : first >> 3 == 0x1E ? 4
                                       : 0;
    if (size == 0 || size > length)
        return 0;
    uint32_t value = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] >> 6 != 2)
            return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < smallest[size] || value > 0x10FFFF || value >> 11 == 0xD800 >> 11)
        return 0;
    *point = value;
    return size;
}

void ft_spell_text(ft_buf *out, ft_text text)
{
    size_t good = 0; /* where the run of well-formed bytes that is not yet put begins */
    for (size_t at = 0; at < text.length;) {
        uint32_t point;
        size_t size = ft_spell_utf8(text.data + at, text.length - at, &point);
        if (size == 0) {
            ft_buf_put(out, text.data + good, at - good);
            ft_buf_printf(out, "\\x%02x", (uint8_t)text.data[at]);
            good = at + 1;
        }
        at += size == 0 ? 1 : size;
    }
    ft_buf_put(out, text.data + good, text.length - good);
}

const char *ft_spell_note(uint32_t kind)
{
    static const char *const names[] = {
        [FT_NOTE_FOLDED] = "folded",
        [FT_NOTE_DISK_FULL] = "disk full",
        [FT_NOTE_NO_TOOL_ID] = "no tool id",
        [FT_NOTE_HOOK_TAKEN] = "hook taken",
        [FT_NOTE_STILL_RUNNING] = "still running",
        [FT_NOTE_TORN] = "torn",
        [FT_NOTE_DEEP_STACK] = "deep stack",
        [FT_NOTE_OUT_OF_MEMORY] = "out of memory",
        [FT_NOTE_CHILDREN_LOST] = "children lost",
        [FT_NOTE_NEVER_STARTED] = "never started",
    };
    return kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

const char *ft_spell_code_kind(uint32_t kind)
{
    static const char *const names[FT_CODE_KINDS] = {
        [FT_CODE_ROOT] = "root",
        [FT_CODE_PYTHON] = "python",
        [FT_CODE_C] = "c",
        [FT_CODE_FOLDED] = "folded",
        [FT_CODE_FOLDED_AGAIN] = "folded again",
    };
    assert(kind < FT_CODE_KINDS);
    return names[kind];
}
