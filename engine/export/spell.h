/* SPDX-License-Identifier: Apache-2.0 */
/* spell.h: how every export spells what the model holds as bytes and numbers, so that one function
 * has one name in all of them.
 *
 * Texts of the model are UTF-8 by convention only. An export holds valid UTF-8 always: a byte that
 * is no part of a well-formed sequence becomes \xNN, as Python's "backslashreplace" decodes it. */
#ifndef FT_EXPORT_SPELL_H
#define FT_EXPORT_SPELL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/model/profile.h"

/* The length (1 to 4) of the well-formed UTF-8 sequence that text begins with, and its code point;
 * 0 where there is none (a stray or missing byte, an overlong form, a surrogate). length > 0. */
size_t ft_spell_utf8(const char *text, size_t length, uint32_t *point);

/* Appends text as valid UTF-8. */
void ft_spell_text(ft_buf *out, ft_text text);

/* The same for formats made of lines: the bytes of control characters, of Unicode's ends of lines
 * and of the ASCII character mark, which separates fields, become \xNN too. */
void ft_spell_line(ft_buf *out, ft_text text, char mark);

/* Appends text as a JSON string, quotes included, in printable ASCII. */
void ft_spell_json(ft_buf *out, ft_text text);

/* The same with what is no control character as it is: some readers know no \u. */
void ft_spell_json_utf8(ft_buf *out, ft_text text);

/* Two texts as one such string, a blank for each NUL: the model joins the words of a command line
 * by them. */
void ft_spell_json_label(ft_buf *out, ft_text before, ft_text text);

void ft_spell_number(ft_buf *out, uint64_t value); /* decimal */

/* value / 10^places, exactly: "12.034", and "12" where nothing is left over. places: at most 9. */
void ft_spell_fixed(ft_buf *out, uint64_t value, unsigned places);

/* A finite double in as many digits as make it again, with a point whatever the locale is. */
void ft_spell_real(ft_buf *out, double value);

/* What to call a function where a format has one name for it: its qualname, else its name, else
 * "?"; "[folded]", "[folded again]", "[task]" or "[awaited]" for what is no function. Borrowed from
 * the profile, or static. */
ft_text ft_spell_name(const ft_profile *profile, const ft_code *code);

/* "folded", "disk full", ... for a ft_note_kind; NULL for a kind this version does not know.
 * Static. */
const char *ft_spell_note(uint32_t kind);

/* "cpu" or "wall" for a ft_series_clock. Static. */
const char *ft_spell_clock(uint32_t clock);

/* "root", "python", "c", "folded", "folded again", "task", "awaited" for a ft_code_kind below
 * FT_CODE_KINDS. Static.
 */
const char *ft_spell_code_kind(uint32_t kind);

#endif
