/* SPDX-License-Identifier: Apache-2.0 */
/* test_export.c: every exporter on random profiles of any bytes and numbers, and out of memory.
 *
 * Here the exports are held to their grammar, by checkers of their own. What they say is compared
 * with other programs' readers in tests/contract. */
#include <ctype.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/export/gzip.h"
#include "engine/export/spell.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 150, NODES = 300 };

/* ---- UTF-8 ---- */

/* Tries all texts of that many bytes, in order, whose bytes from the third on are lowest..0xFF. The
 * code points of well-formed ones must increase, as they do in UTF-8, so that their number alone
 * says that they are the right ones. Gives that number, or -1. */
static long count_well_formed(size_t size, unsigned lowest)
{
    uint8_t text[5] = {0};
    long found = 0, last = -1;
    for (size_t i = 2; i < size; i++)
        text[i] = (uint8_t)lowest;
    for (;;) {
        uint32_t point = UINT32_MAX;
        if (ft_spell_utf8((const char *)text, size, &point) == size) {
            if ((long)point <= last)
                return -1;
            last = (long)point;
            found++;
        }
        size_t at = size;
        while (at > 0 && ++text[at - 1] == 0) {
            text[at - 1] = (uint8_t)(at > 2 ? lowest : 0);
            at--;
        }
        if (at == 0)
            return found;
    }
}

static void test_utf8(void)
{
    uint32_t point;
    CHECK(count_well_formed(1, 0) == 0x80);
    CHECK(count_well_formed(2, 0) == 0x800 - 0x80);
    CHECK(count_well_formed(3, 0) == 0x10000 - 0x800 - 0x800); /* less the surrogates */
    CHECK(count_well_formed(4, 0x7F) == 0x110000 - 0x10000);
    CHECK(ft_spell_utf8("\xE2\x82\xAC!", 4, &point) == 3 && point == 0x20AC);
    CHECK(ft_spell_utf8("\xE2\x82\xAC", 2, &point) == 0); /* the end, not a byte behind it */
    CHECK(ft_spell_utf8("\xF0\x9F\x90\x8D", 4, &point) == 4 && point == 0x1F40D);
}

static void test_spelled_texts(void)
{
    static const char text[] = "a\0\xFF\xC3\xA9\xC3";
    static const char spelled[] = "a\0\\xff\xC3\xA9\\xc3";
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    ft_spell_text(&out, (ft_text){text, sizeof text - 1});
    CHECK(out.length == sizeof spelled - 1 && memcmp(out.data, spelled, out.length) == 0);
    ft_buf_clear(&out);
    ft_spell_text(&out, (ft_text){"", 0});
    CHECK(out.length == 0 && ft_buf_status(&out) == FT_OK);
    ft_buf_fini(&out);
}

static void test_spelled_lines(void)
{
    static const char text[] = "a;b\n\xC2\x85\xE2\x80\xA8\xE2\x80\xAA\xFF\x7F c";
    static const char spelled[] = "a\\x3bb\\x0a\\xc2\\x85\\xe2\\x80\\xa8\xE2\x80\xAA\\xff\\x7f c";
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    ft_spell_line(&out, (ft_text){text, sizeof text - 1}, ';');
    CHECK(out.length == sizeof spelled - 1 && memcmp(out.data, spelled, out.length) == 0);
    ft_buf_fini(&out);
}

static void test_fixed(void)
{
    static const char spelled[] = "0 7 1.007 12.340 18446744073709551.615 18446744073.709551615 5";
    static const uint64_t values[] = {0, 7000, 1007, 12340, UINT64_MAX};
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ft_spell_fixed(&out, values[i], 3);
        ft_buf_put_byte(&out, ' ');
    }
    ft_spell_fixed(&out, UINT64_MAX, 9);
    ft_buf_put_byte(&out, ' ');
    ft_spell_fixed(&out, 5, 0);
    CHECK(out.length == sizeof spelled - 1 && memcmp(out.data, spelled, out.length) == 0);
    ft_buf_fini(&out);
}

static void test_notes(void)
{
    for (uint32_t kind = FT_NOTE_FOLDED; kind <= FT_NOTE_NEVER_STARTED; kind++)
        CHECK(ft_spell_note(kind) != NULL);
    CHECK(ft_spell_note(0) == NULL && ft_spell_note(UINT32_MAX) == NULL);
}

/* ---- the grammar of JSON, as far as the export uses it ---- */

static bool in_ascii; /* what is looked at has to be */

static bool take(const char **at, char expected)
{
    bool found = **at == expected;
    *at += found;
    return found;
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \n");
}

static bool take_escape(const char **at, unsigned *unit)
{
    *unit = 0;
    if (take(at, '"') || take(at, '\\'))
        return true;
    if (!take(at, 'u'))
        return false;
    for (int i = 0; i < 4; i++, ++*at) {
        if (!isxdigit((unsigned char)**at))
            return false;
        *unit = *unit * 16 +
                (unsigned)(isdigit((unsigned char)**at) ? **at - '0' : (**at | 0x20) - 'a' + 10);
    }
    return true;
}

/* Beyond ASCII only what is well-formed and no control character of Latin 1. */
static bool take_letter(const char **at)
{
    uint32_t point;
    size_t size = in_ascii ? 0 : ft_spell_utf8(*at, strnlen(*at, 4), &point);
    *at += size;
    return size > 1 && point >= 0xA0;
}

/* Printable; a high surrogate and only that is followed by a low one. */
static bool take_string(const char **at)
{
    bool high = false;
    if (!take(at, '"'))
        return false;
    while (**at != '"') {
        unsigned unit = (unsigned char)**at;
        if (unit > 0x7E && !high && take_letter(at))
            continue;
        if (unit < 0x20 || unit > 0x7E)
            return false;
        ++*at;
        if (unit == '\\' && !take_escape(at, &unit))
            return false;
        if (high != (unit >> 10 == 0xDC00 >> 10))
            return false;
        high = unit >> 10 == 0xD800 >> 10;
    }
    return take(at, '"') && !high;
}

static bool take_digits(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    *at += digits;
    return digits > 0;
}

static bool take_number(const char **at)
{
    take(at, '-');
    bool is_zero = take(at, '0');
    if (!is_zero && !take_digits(at))
        return false;
    if (take(at, '.') && !take_digits(at))
        return false;
    if (!take(at, 'e'))
        return true;
    return (take(at, '-') || take(at, '+')) && take_digits(at);
}

static bool take_word(const char **at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(*at, words[i], length) == 0) {
            *at += length;
            return true;
        }
    }
    return false;
}

static bool take_value(const char **at, int depth)
{
    char open = **at;
    if (open == '"')
        return take_string(at);
    if (open != '{' && open != '[')
        return take_word(at) || take_number(at);
    char close = open == '{' ? '}' : ']';
    ++*at;
    skip_blanks(at);
    if (take(at, close))
        return true;
    do {
        skip_blanks(at);
        if (open == '{' && !(take_string(at) && take(at, ':')))
            return false;
        if (depth == 0 || !take_value(at, depth - 1))
            return false;
    } while (take(at, ','));
    return take(at, close);
}

static bool is_json(const ft_buf *out)
{
    const char *at = (const char *)out->data, *end = at + out->length;
    return memchr(at, '\0', out->length) == NULL && take_value(&at, 6) && take(&at, '\n') &&
           at == end;
}

/* ---- the grammar of marshal, as far as the export uses it ---- */

typedef struct cursor {
    const uint8_t *at, *end;
    uint32_t refs;
} cursor;

static uint32_t take_u32(cursor *from)
{
    uint32_t value = UINT32_MAX; /* no length, no reference */
    if (from->end - from->at < 4) {
        from->at = from->end;
        return value;
    }
    value = from->at[0] | (uint32_t)from->at[1] << 8 | (uint32_t)from->at[2] << 16 |
            (uint32_t)from->at[3] << 24;
    from->at += 4;
    return value;
}

static bool take_bytes(cursor *from, uint64_t length)
{
    bool there = (uint64_t)(from->end - from->at) >= length;
    from->at = there ? from->at + length : from->end;
    return there;
}

static bool take_object(cursor *from, int depth);

static bool take_items(cursor *from, uint32_t count, int depth)
{
    for (uint32_t i = 0; i < count; i++)
        if (!take_object(from, depth))
            return false;
    return true;
}

static bool take_dictionary(cursor *from, int depth)
{
    while (from->at < from->end && *from->at != '0')
        if (!take_items(from, 2, depth))
            return false;
    return take_bytes(from, 1);
}

static bool take_object(cursor *from, int depth)
{
    if (from->at == from->end || depth == 0)
        return false;
    uint8_t code = *from->at++;
    from->refs += code >> 7;
    switch (code & 0x7F) {
    case 'i':
        return take_u32(from) <= INT32_MAX; /* nothing is negative */
    case 'l':
        return take_bytes(from, UINT64_C(2) * take_u32(from)) && from->at[-1] < 0x80;
    case 'g':
        return take_bytes(from, 8);
    case 'u':
        return take_bytes(from, take_u32(from));
    case 'r':
        return take_u32(from) < from->refs;
    case '(':
        return take_items(from, take_u32(from), depth - 1);
    case '{':
        return take_dictionary(from, depth - 1);
    default:
        return false;
    }
}

static bool is_marshal(const ft_buf *out)
{
    cursor from = {out->data, out->data + out->length, 0};
    return take_object(&from, 5) && from.at == from.end;
}

/* ---- lines of stacks ---- */

/* "frame;frame NUMBER", no frame empty. */
static bool is_stack_line(const char *line, size_t length)
{
    size_t digits = 0;
    while (digits < length && isdigit((unsigned char)line[length - 1 - digits]))
        digits++;
    if (digits == 0 || digits + 2 > length || line[length - digits - 1] != ' ')
        return false;
    bool empty = true;
    for (size_t i = 0; i < length - digits - 1; i++) {
        if ((unsigned char)line[i] < ' ' || (empty && line[i] == ';'))
            return false;
        empty = line[i] == ';';
    }
    return !empty;
}

static bool is_collapsed(const ft_buf *out)
{
    const char *at = (const char *)out->data, *end = at + out->length;
    for (const char *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL || !is_stack_line(at, (size_t)(stop - at)))
            return false;
    }
    return true;
}

/* ---- lines of callgrind ---- */

static bool is_callgrind_line(const char *line)
{
    static const char *const starts[] = {
        "fl=(",      "fn=(",      "cfi=(",    "cfn=(",     "calls=",     "# callg",
        "version: ", "creator: ", "events: ", "positions", "event: ns ", "summary: "};
    size_t digits = strspn(line, "0123456789");
    if (digits > 0)
        return line[digits] == ' ' && isdigit((unsigned char)line[digits + 1]);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return *line == '\n';
}

static bool is_callgrind(const ft_buf *out)
{
    const char *at = (const char *)out->data, *end = at + out->length;
    if (memchr(at, '\0', out->length) != NULL)
        return false;
    for (; at < end; at = strchr(at, '\n') + 1)
        if (!is_callgrind_line(at) || strchr(at, '\n') == NULL)
            return false;
    return true;
}

/* ---- gzip ---- */

static bool is_gzip_of(const ft_buf *out, const uint8_t *bytes, size_t length)
{
    size_t at = 10, done = 0;
    bool last = false;
    while (!last && at + 5 <= out->length) {
        const uint8_t *head = out->data + at;
        size_t size = head[1] | (size_t)head[2] << 8;
        if (head[0] > 1 || (head[1] ^ head[3]) != 0xFF || (head[2] ^ head[4]) != 0xFF ||
            size > length - done || memcmp(head + 5, bytes + done, size) != 0)
            return false;
        last = head[0] == 1;
        at += 5 + size;
        done += size;
    }
    return last && done == length && at + 8 == out->length;
}

static void test_gzip(void)
{
    static const size_t lengths[] = {0, 1, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x1FFFF};
    static const uint8_t bytes[0x1FFFF];
    static const uint8_t check[] = {0x26, 0x39, 0xF4, 0xCB, 9, 0, 0, 0}; /* of CRC-32 */
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ft_buf_clear(&out);
        ft_gzip_put(&out, bytes, lengths[i]);
        CHECK(is_gzip_of(&out, bytes, lengths[i]));
    }
    ft_buf_clear(&out);
    ft_gzip_put(&out, "123456789", 9);
    CHECK(memcmp(out.data + out.length - sizeof check, check, sizeof check) == 0);
    ft_buf_fini(&out);
}

static bool is_gzip(const ft_buf *out)
{
    return out->length >= 18 && memcmp(out->data, "\x1F\x8B\x08", 3) == 0;
}

/* ---- every exporter ---- */

static bool follows_grammar(const char *format, const ft_buf *out)
{
    in_ascii = strcmp(format, "json") == 0 || strcmp(format, "speedscope") == 0;
    if (in_ascii || strcmp(format, "chrome") == 0 || strcmp(format, "firefox") == 0)
        return is_json(out);
    if (strcmp(format, "callgrind") == 0)
        return is_callgrind(out);
    if (strcmp(format, "collapsed") == 0)
        return is_collapsed(out);
    if (strcmp(format, "pprof") == 0)
        return is_gzip(out);
    return strcmp(format, "pstats") != 0 || is_marshal(out); /* of others none is known here */
}

static void test_list(void)
{
    CHECK(ft_exporters[0] != NULL);
    for (const ft_exporter *const *at = ft_exporters; *at != NULL; at++) {
        CHECK(ft_exporter_find((*at)->name) == *at);
        CHECK((*at)->suffix[0] == '.' && (*at)->description[0] != '\0');
    }
    CHECK(ft_exporter_find("") == NULL && ft_exporter_find("jso") == NULL);
}

/* Exports behind what the buffer already holds, and leaves that as it was. */
static bool export_is_well_formed(const ft_exporter *exporter, const ft_profile *profile)
{
    ft_buf out, alone;
    ft_buf_init(&out, &ft_mem_system);
    ft_buf_init(&alone, &ft_mem_system);
    ft_buf_put_text(&out, "before");
    bool good = exporter->write(profile, &out) == FT_OK &&
                exporter->write(profile, &alone) == FT_OK && out.length == alone.length + 6 &&
                memcmp(out.data, "before", 6) == 0 &&
                (alone.length == 0 || memcmp(out.data + 6, alone.data, alone.length) == 0);
    ft_buf_put_byte(&alone, '\0'); /* an end that the text checker may look at */
    alone.length--;
    good = good && follows_grammar(exporter->name, &alone);
    ft_buf_fini(&alone);
    ft_buf_fini(&out);
    return good;
}

static void test_random_profiles(const ft_exporter *exporter)
{
    int good = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ft_profile profile, copy;
        make_profile(&profile, seed, NODES);
        make_profile(&copy, seed, NODES);
        good += export_is_well_formed(exporter, &profile) && same_profile(&profile, &copy);
        ft_profile_fini(&copy);
        ft_profile_fini(&profile);
    }
    CHECK(good == SEEDS);
}

/* ---- out of memory ---- */

static ft_profile swept;
static const ft_exporter *swept_with;

static ft_status export_swept(const ft_mem *mem)
{
    ft_profile profile = swept; /* a view: an exporter only reads it, and allocates from mem */
    ft_buf out;
    profile.mem = mem;
    ft_buf_init(&out, mem);
    ft_status status = swept_with->write(&profile, &out);
    ft_buf_fini(&out);
    return status;
}

static void test_out_of_memory(const ft_exporter *exporter)
{
    swept_with = exporter;
    for (uint64_t seed = 3; seed < 6; seed++) {
        make_profile(&swept, seed, NODES);
        CHECK(sweep(export_swept));
        ft_profile_fini(&swept);
    }
    make_full_profile(&swept, NODES);
    CHECK(sweep(export_swept));
    ft_profile_fini(&swept);
}

/* ---- paths that nobody could open ---- */

/* A chain of calls: n * n / 2 frames. */
static void make_chain(ft_profile *profile, uint32_t nodes)
{
    ft_code code = {.kind = FT_CODE_PYTHON};
    uint32_t id, thread;
    must(ft_profile_init(profile, &ft_mem_system) == FT_OK);
    must(ft_codetab_intern(&profile->codes, &code, &code.name) == FT_OK);
    must(ft_profile_add_process(profile, &(ft_process){.pid = 1}, &id) == FT_OK);
    must(ft_profile_add_thread(profile, 0, 0, &thread) == FT_OK);
    ft_tree *tree = &profile->threads[thread].tree;
    for (id = 0; id < nodes;) {
        must(ft_tree_add(tree, id, code.name, &id) == FT_OK);
        tree->nodes[id].own = tree->nodes[id].calls = 1;
    }
}

static bool writes_paths(const char *format)
{
    return strcmp(format, "collapsed") == 0 || strcmp(format, "pprof") == 0;
}

static void test_deep_chain(const ft_exporter *exporter)
{
    ft_profile profile;
    ft_buf out;
    make_chain(&profile, 100000);
    ft_buf_init(&out, &ft_mem_system);
    ft_status status = exporter->write(&profile, &out);
    CHECK(status == (writes_paths(exporter->name) ? FT_ERR_LIMIT : FT_OK));
    ft_buf_fini(&out);
    ft_profile_fini(&profile);
}

/* Names that are short enough once, and not once an event. */
static void test_long_names(void)
{
    enum { NODES_OF_TREE = 100000, NAME = 30000 };
    static char name[NAME];
    ft_profile profile;
    ft_buf out;
    memset(name, 'x', sizeof name);
    make_chain(&profile, NODES_OF_TREE);
    must(ft_strtab_intern(&profile.texts, name, sizeof name, &profile.codes.codes[1].qualname) ==
         FT_OK);
    ft_buf_init(&out, &ft_mem_system);
    CHECK(ft_exporter_find("chrome")->write(&profile, &out) == FT_ERR_LIMIT && out.length == 0);
    ft_buf_fini(&out);
    ft_profile_fini(&profile);
}

int main(void)
{
    test_utf8();
    test_spelled_texts();
    test_spelled_lines();
    test_fixed();
    test_notes();
    test_long_names();
    test_gzip();
    test_list();
    for (const ft_exporter *const *at = ft_exporters; *at != NULL; at++) {
        test_random_profiles(*at);
        test_out_of_memory(*at);
        test_deep_chain(*at);
    }
    return tap_end();
}
