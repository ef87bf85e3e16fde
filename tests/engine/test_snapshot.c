/* SPDX-License-Identifier: Apache-2.0 */
/* test_snapshot.c: fettle's snapshots of memory: what is written is read back, in one chunk or
 * many; a cut or changed file is refused; so is one that is sound outside and wrong inside; and
 * every allocation is refused once. */
#include "tests/engine/snapshots.h"

#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SEEDS = 40 };

static ft_status fill_stacks(ft_traces *traces, random_source *from, uint32_t count)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        uint32_t id, frames = random_below(from, random_below(from, 5) == 0 ? 200 : 4);
        status = ft_traces_add_stack(traces, &id);
        while (frames-- > 0 && status == FT_OK)
            status = ft_traces_add_frame(traces,
                                         (ft_traces_frame){random_below(from, traces->texts.count),
                                                           (uint32_t)draw_number(from)});
    }
    return status;
}

static ft_status fill_groups(ft_traces *traces, random_source *from, uint32_t count)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        ft_traces_group group = {.size = draw_number(from) >> 1,
                                 .count = 1 + (draw_number(from) >> 40),
                                 .domain = (uint32_t)draw_number(from),
                                 .stack = random_below(from, traces->stack_count),
                                 .depth = random_below(from, 3)};
        status = ft_traces_add_group(traces, &group);
    }
    return status;
}

static ft_status fill_attributes(ft_traces *traces, random_source *from, uint32_t count)
{
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        ft_traces_attribute attribute = {.name = random_below(from, traces->texts.count),
                                         .kind = random_below(from, FT_TRACES_TEXT + 1)};
        attribute.value.integer = (int64_t)random_next(from);
        if (attribute.kind == FT_TRACES_TEXT)
            attribute.value.text = random_below(from, traces->texts.count);
        status = ft_traces_add_attribute(traces, &attribute);
    }
    return status;
}

/* Fills initialised traces; most: of each kind. */
static ft_status fill(ft_traces *traces, uint64_t seed, uint32_t most)
{
    random_source from = {seed};
    ft_status status = FT_OK;
    for (uint32_t i = random_below(&from, most); i > 0 && status == FT_OK; i--) {
        char text[300];
        uint32_t id;
        size_t length = random_below(&from, random_below(&from, 4) == 0 ? sizeof text : 5);
        for (size_t at = 0; at < length; at++)
            text[at] = (char)random_next(&from);
        status = ft_strtab_intern(&traces->texts, text, length, &id);
    }
    if (status == FT_OK)
        status = fill_stacks(traces, &from, 1 + random_below(&from, most));
    if (status == FT_OK)
        status = fill_groups(traces, &from, random_below(&from, most));
    return status == FT_OK ? fill_attributes(traces, &from, random_below(&from, most)) : status;
}

static void make_traces(ft_traces *traces, uint64_t seed, uint32_t most)
{
    must(ft_traces_init(traces, &ft_mem_system) == FT_OK);
    must(fill(traces, seed, most) == FT_OK);
}

static ft_buf written(uint64_t seed, uint32_t most)
{
    ft_traces traces;
    ft_buf file;
    ft_buf_init(&file, &ft_mem_system);
    make_traces(&traces, seed, most);
    must(ft_snapshot_write(&traces, &file) == FT_OK);
    ft_traces_fini(&traces);
    return file;
}

/* Reads a block exactly as large: a sanitizer finds what reads behind it. */
static ft_status read_copy(const uint8_t *bytes, size_t length, ft_traces *into)
{
    uint8_t *copy = malloc(length + (length == 0));
    must(copy != NULL && ft_traces_init(into, &ft_mem_system) == FT_OK);
    memcpy(copy, bytes, length);
    ft_status status = ft_snapshot_read(copy, length, into);
    free(copy);
    return status;
}

static ft_status read_status(const uint8_t *bytes, size_t length)
{
    ft_traces traces;
    ft_status status = read_copy(bytes, length, &traces);
    ft_traces_fini(&traces);
    return status;
}

static bool comes_back(uint64_t seed, uint32_t most)
{
    ft_traces traces, back;
    ft_buf file = written(seed, most);
    make_traces(&traces, seed, most);
    bool same = read_copy(file.data, file.length, &back) == FT_OK && same_traces(&traces, &back);
    ft_traces_fini(&back);
    ft_traces_fini(&traces);
    ft_buf_fini(&file);
    return same;
}

static void test_what_is_written_is_read_back(void)
{
    enum { MANY = 60000 }; /* chunks of each kind */
    bool same = true;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        same = same && comes_back(seed, 30);
    CHECK(same);
    CHECK(comes_back(5, MANY));
}

static void test_equal_neighbours_are_one_group(void)
{
    ft_traces traces;
    uint32_t stack;
    must(ft_traces_init(&traces, &ft_mem_system) == FT_OK);
    must(ft_traces_add_stack(&traces, &stack) == FT_OK);
    ft_traces_group group = {.size = 5, .count = 2, .depth = 1};
    must(ft_traces_add_group(&traces, &group) == FT_OK);
    must(ft_traces_add_group(&traces, &group) == FT_OK);
    CHECK(traces.group_count == 1 && traces.groups[0].count == 4 && traces.block_count == 4);
    group.depth = 2;
    must(ft_traces_add_group(&traces, &group) == FT_OK);
    CHECK(traces.group_count == 2 && traces.block_count == 6);
    group.count = FT_TRACES_BLOCKS_MAX - 5;
    CHECK(ft_traces_add_group(&traces, &group) == FT_ERR_LIMIT && traces.block_count == 6);
    ft_traces_fini(&traces);
}

static void test_cut_anywhere(void)
{
    ft_buf file = written(1, 12);
    bool refused = true;
    CHECK(read_status(file.data, file.length) == FT_OK);
    CHECK(read_status(file.data, 0) == FT_ERR_EMPTY);
    for (size_t length = 1; length < file.length; length++)
        refused =
            refused && read_status(file.data, length) ==
                           (length < FT_SNAPSHOT_MAGIC_BYTES ? FT_ERR_FOREIGN : FT_ERR_CORRUPT);
    CHECK(refused);
    ft_buf_put_byte(&file, 0); /* and something behind it */
    CHECK(read_status(file.data, file.length) == FT_ERR_CORRUPT);
    ft_buf_fini(&file);
}

static void test_changed_anywhere(void)
{
    ft_buf file = written(2, 12);
    bool refused = true;
    for (size_t at = 0; at < file.length; at++) {
        file.data[at] ^= 0x20;
        ft_status status = read_status(file.data, file.length);
        refused =
            refused && status == (at < FT_SNAPSHOT_MAGIC_BYTES ? FT_ERR_FOREIGN : FT_ERR_CORRUPT);
        file.data[at] ^= 0x20;
    }
    CHECK(refused);
    ft_buf_fini(&file);
}

/* What packs so well that no reader would take it is not written. */
static void test_what_is_not_read_is_not_written(void)
{
    enum { GROUPS = 1500000 };
    ft_traces traces;
    ft_buf file;
    uint32_t id;
    ft_buf_init(&file, &ft_mem_system);
    must(ft_traces_init(&traces, &ft_mem_system) == FT_OK);
    must(ft_traces_add_stack(&traces, &id) == FT_OK);
    for (uint32_t i = 0; i < GROUPS; i++)
        must(ft_traces_add_group(&traces, &(ft_traces_group){.size = INT64_MAX - i % 2,
                                                             .count = 1,
                                                             .domain = UINT32_MAX}) == FT_OK);
    CHECK(ft_snapshot_write(&traces, &file) == FT_ERR_LIMIT);
    ft_traces_fini(&traces);
    ft_buf_fini(&file);
}

static void test_a_stack_of_more_than_a_chunk(void)
{
    ft_traces traces;
    ft_buf file;
    uint32_t id;
    ft_buf_init(&file, &ft_mem_system);
    must(ft_traces_init(&traces, &ft_mem_system) == FT_OK);
    must(ft_traces_add_stack(&traces, &id) == FT_OK);
    for (uint32_t i = 0; i < FT_FORMAT_RAW_MAX / 2; i++)
        must(ft_traces_add_frame(&traces, (ft_traces_frame){0, 0}) == FT_OK);
    CHECK(ft_snapshot_write(&traces, &file) == FT_ERR_LIMIT);
    ft_traces_fini(&traces);
    ft_buf_fini(&file);
}

/* ---- sound outside ---- */

typedef struct parts { /* payloads; a kind without one is left out */
    const char *text, *stack, *group, *attribute, *end;
} parts;

static void build_part(builder *to, uint32_t type, const char *hex)
{
    uint8_t raw[64];
    size_t length = 0;
    unsigned byte;
    if (hex == NULL)
        return;
    for (; *hex != '\0' && sscanf(hex, "%2x", &byte) == 1; hex += hex[2] == ' ' ? 3 : 2)
        raw[length++] = (uint8_t)byte;
    build_chunk(to, (ft_chunk){.type = type}, raw, length);
}

static ft_status status_of(parts of)
{
    builder file;
    builder_init(&file);
    build_snapshot_header(&file, FT_SNAPSHOT_VERSION);
    build_part(&file, FT_SNAPSHOT_TEXT, of.text);
    build_part(&file, FT_SNAPSHOT_STAK, of.stack);
    build_part(&file, FT_SNAPSHOT_GRUP, of.group);
    build_part(&file, FT_SNAPSHOT_ATTR, of.attribute);
    build_part(&file, FT_SNAPSHOT_END, of.end);
    ft_status status = read_status(file.file.data, file.file.length);
    builder_fini(&file);
    return status;
}

/* The text "a", a stack of a:5, three blocks of 7 bytes there, and an attribute a, None. */
static const parts usual = {"01 61", "01 01 05", "00 07 03 00 02", "01 00 0000000000000000",
                            "01 01 01 01"};

static ft_status with_text(const char *text)
{
    parts of = usual;
    of.text = text;
    return status_of(of);
}

static ft_status with_stack(const char *stack)
{
    parts of = usual;
    of.stack = stack;
    return status_of(of);
}

static ft_status with_group(const char *group)
{
    parts of = usual;
    of.group = group;
    return status_of(of);
}

static ft_status with_attribute(const char *attribute)
{
    parts of = usual;
    of.attribute = attribute;
    return status_of(of);
}

static ft_status with_end(const char *end)
{
    parts of = usual;
    of.end = end;
    return status_of(of);
}

static void test_wrong_entries(void)
{
    CHECK(status_of(usual) == FT_OK);
    CHECK(status_of((parts){.end = "00 00 00 00"}) == FT_OK); /* nothing at all */
    CHECK(with_text("") == FT_ERR_CORRUPT && with_text("02 61") == FT_ERR_CORRUPT);
    CHECK(with_text("00") == FT_ERR_CORRUPT);          /* the empty text is there already */
    CHECK(with_text("01 61 01 61") == FT_ERR_CORRUPT); /* this one too */
    CHECK(with_text("ffffffffffffffffff01") == FT_ERR_CORRUPT);
    CHECK(with_stack("01 02 05") == FT_ERR_CORRUPT && with_stack("02 01 05") == FT_ERR_CORRUPT);
    CHECK(with_stack("01 01 8080808010") == FT_ERR_CORRUPT); /* a line past 32 bits */
    CHECK(with_stack("01 01 ffffffff0f") == FT_OK);
    CHECK(with_group("00 07 00 00 02") == FT_ERR_CORRUPT); /* no block */
    CHECK(with_group("00 07 03 01 02") == FT_ERR_CORRUPT && with_group("00 07") == FT_ERR_CORRUPT);
    CHECK(with_group("00 80808080808080808001 03 00 02") == FT_ERR_CORRUPT); /* 2**63 bytes */
    CHECK(with_group("00 ffffffffffffffff7f 03 00 02") == FT_OK);
    CHECK(with_group("00 07 808080808040 00 02") == FT_ERR_CORRUPT); /* more than 2**40 */
    CHECK(with_group("00 07 808080808020 00 02 00 08 01 00 02") == FT_ERR_LIMIT);
    CHECK(with_attribute("02 00 0000000000000000") == FT_ERR_CORRUPT);
    CHECK(with_attribute("01 06 0000000000000000") == FT_ERR_CORRUPT);
    CHECK(with_attribute("01 05 0200000000000000") == FT_ERR_CORRUPT);
    CHECK(with_attribute("01 05 0100000000000000") == FT_OK);
    CHECK(with_attribute("01 02 0100000000000000") == FT_ERR_CORRUPT);
    CHECK(with_attribute("01 03 00000000000000") == FT_ERR_CORRUPT);
    CHECK(with_end("01 01 01 02") == FT_ERR_CORRUPT && with_end("01 01 01") == FT_ERR_CORRUPT);
    CHECK(with_end("00 01 01 01") == FT_ERR_CORRUPT && with_end("01 02 01 01") == FT_ERR_CORRUPT);
    CHECK(with_end("01 01 02 01") == FT_ERR_CORRUPT && with_end(NULL) == FT_ERR_CORRUPT);
    CHECK(with_end("01 01 01 01 00") == FT_ERR_CORRUPT);
}

/* The status of a file of one more chunk before the end. */
static ft_status with_chunk(ft_chunk head, const void *raw, size_t length, uint32_t version)
{
    builder file;
    builder_init(&file);
    build_snapshot_header(&file, version);
    BUILD_SNAPSHOT(&file, STAK, "\0");
    build_chunk(&file, head, raw, length);
    BUILD_SNAPSHOT(&file, END, "\0\1\0\0");
    ft_status status = read_status(file.file.data, file.file.length);
    builder_fini(&file);
    return status;
}

static void test_chunks(void)
{
    ft_chunk late = {.type = FT_FORMAT_TYPE('L', 'A', 'T', 'E'), .flags = FT_CHUNK_SKIPPABLE};
    CHECK(with_chunk(late, "x", 1, FT_SNAPSHOT_VERSION) == FT_OK);
    CHECK(with_chunk(late, "x", 1, FT_SNAPSHOT_VERSION + 1) == FT_ERR_NEWER);
    late.flags = 0;
    CHECK(with_chunk(late, "x", 1, FT_SNAPSHOT_VERSION) == FT_ERR_NEWER);
    ft_chunk text = {.type = FT_SNAPSHOT_TEXT}; /* they come before the stacks */
    CHECK(with_chunk(text, "\1a", 2, FT_SNAPSHOT_VERSION) == FT_ERR_NEWER);
    ft_chunk group = {.type = FT_SNAPSHOT_GRUP, .stream = 1};
    CHECK(with_chunk(group, "\0\7\3\0\2", 5, FT_SNAPSHOT_VERSION) == FT_ERR_CORRUPT);
    group = (ft_chunk){.type = FT_SNAPSHOT_GRUP, .flags = 4};
    CHECK(with_chunk(group, "\0\7\3\0\2", 5, FT_SNAPSHOT_VERSION) == FT_ERR_NEWER);
}

/* A few bytes that unpack to a million each, again and again. */
static void test_a_small_file_that_is_large_inside(void)
{
    enum { CHUNKS = 100 };
    static uint8_t zeros[FT_FORMAT_RAW_MAX];
    builder file;
    builder_init(&file);
    build_snapshot_header(&file, FT_SNAPSHOT_VERSION);
    for (int i = 0; i < CHUNKS; i++)
        build_chunk(&file, (ft_chunk){.type = FT_SNAPSHOT_STAK}, zeros, sizeof zeros);
    CHECK(file.file.length < 20000);
    CHECK(read_status(file.file.data, file.file.length) == FT_ERR_LIMIT);
    builder_fini(&file);
}

/* ---- memory ---- */

static ft_status write_and_read(const ft_mem *mem)
{
    ft_traces traces, back;
    ft_buf file;
    ft_buf_init(&file, mem);
    ft_status status = ft_traces_init(&traces, mem);
    if (status != FT_OK)
        return status;
    status = ft_traces_init(&back, mem);
    if (status != FT_OK)
        goto end_traces;
    status = fill(&traces, 3, 20);
    if (status == FT_OK)
        status = ft_snapshot_write(&traces, &file);
    if (status == FT_OK)
        status = ft_snapshot_read(file.data, file.length, &back);
    ft_traces_fini(&back);
    ft_buf_fini(&file);
end_traces:
    ft_traces_fini(&traces);
    return status;
}

int main(void)
{
    test_what_is_written_is_read_back();
    test_equal_neighbours_are_one_group();
    test_cut_anywhere();
    test_changed_anywhere();
    test_what_is_not_read_is_not_written();
    test_a_stack_of_more_than_a_chunk();
    test_wrong_entries();
    test_chunks();
    test_a_small_file_that_is_large_inside();
    CHECK(sweep(write_and_read));
    return tap_end();
}
