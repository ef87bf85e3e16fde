/* SPDX-License-Identifier: Apache-2.0 */
/* test_file_hostile.c: files no sound writer makes: right checksums, wrong content. */
#include <string.h>

#include "engine/base/crc.h"
#include "engine/base/varint.h"
#include "engine/file/reader.h"
#include "tests/engine/file_builder.h"
#include "tests/engine/tap.h"

static ft_status read_built(const builder *from, ft_reader_report *report)
{
    ft_profile profile;
    ft_reader_report ignored;
    if (ft_profile_init(&profile, &ft_mem_system) != FT_OK)
        abort();
    ft_status status = ft_reader_read(from->file.data, from->file.length, &profile,
                                      report == NULL ? &ignored : report);
    if (status == FT_OK && ft_profile_check(&profile) != FT_OK)
        abort();
    ft_profile_fini(&profile);
    return status;
}

/* The status of a file of sound dictionaries followed by one chunk, and by the sound rest. */
static ft_status status_with(ft_chunk head, const void *raw, size_t length)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    build_chunk(&file, head, raw, length);
    ft_status status = read_built(&file, NULL);
    builder_fini(&file);
    return status;
}

#define WITH(name, literal)                                                                        \
    status_with((ft_chunk){.type = FT_CHUNK_##name}, literal, sizeof literal - 1)

#define LARGEST "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"  /* 2^64 - 1 */
#define TOO_LONG "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2" /* 2^65 - 1 */
#define U32_MORE "\x80\x80\x80\x80\x10"                   /* 2^32 */

static void test_sound(void)
{
    builder file;
    ft_reader_report report = {0};
    builder_init(&file);
    build_dictionaries(&file);
    build_rest(&file);
    CHECK(read_built(&file, &report) == FT_OK);
    CHECK(report.ended && !report.torn && report.good_bytes == file.file.length);
    builder_fini(&file);
}

static void test_lists(void)
{
    CHECK(WITH(TEXT, "\1b\0\1c") == FT_OK);
    CHECK(WITH(TEXT, "\2b") == FT_ERR_CORRUPT);
    CHECK(WITH(TEXT, LARGEST "b") == FT_ERR_CORRUPT);
    CHECK(WITH(TEXT, "\x80") == FT_ERR_CORRUPT);
    CHECK(WITH(META, "\1k") == FT_ERR_CORRUPT); /* no value */
    CHECK(WITH(META, "\1k\2v") == FT_ERR_CORRUPT);
    CHECK(WITH(META, "\1k\2v\0") == FT_OK);

    CHECK(WITH(CODE, "\2\0\1\0\0") == FT_OK);
    CHECK(WITH(CODE, "\2\0\1\0") == FT_ERR_CORRUPT);   /* a field is missing */
    CHECK(WITH(CODE, "\2\2\1\0\0") == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH(CODE, "\0\0\0\0\0") == FT_ERR_CORRUPT); /* a second root */
    CHECK(WITH(CODE, "\7\0\0\0\0") == FT_ERR_NEWER);   /* a kind of the future */
    CHECK(WITH(CODE, "\1\0\1\0" U32_MORE) == FT_ERR_CORRUPT);
    CHECK(WITH(CODE, "\1\0\1\0" TOO_LONG) == FT_ERR_CORRUPT);

    CHECK(WITH(PROC, "\1\1\1\1" LARGEST LARGEST) == FT_OK);
    CHECK(WITH(PROC, "\1\1\2\1\0\0") == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH(PROC, U32_MORE "\1\1\1\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(PROC, "\1\1\1\1\0") == FT_ERR_CORRUPT);
    CHECK(WITH(THRD, "\0\0" LARGEST) == FT_OK);
    CHECK(WITH(THRD, "\1\0\1") == FT_ERR_CORRUPT); /* no such process */
    CHECK(WITH(THRD, "\0\2\1") == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH(NOTE, "\x7f\0\0") == FT_OK);        /* a kind of the future is kept */
    CHECK(WITH(NOTE, "\1\1\0") == FT_ERR_CORRUPT); /* no such process */
    CHECK(WITH(NOTE, "\1\0") == FT_ERR_CORRUPT);
}

static void test_trees(void)
{
    CHECK(WITH(TREE, "\0\1\0\0\0\0\0") == FT_OK);
    CHECK(WITH(TREE, "\1\1\1\1\1\1\0") == FT_OK); /* the root left out */
    CHECK(WITH(TREE, "\0\2"
                     "\0\1"
                     "\0\1"
                     "\0\1"
                     "\0" LARGEST "\0\0") == FT_OK);

    CHECK(WITH(TREE, "") == FT_ERR_CORRUPT);
    CHECK(WITH(TREE, "\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TREE, "\0\0") == FT_ERR_CORRUPT);           /* no nodes */
    CHECK(WITH(TREE, "\0\2\0\0\0\0\0") == FT_ERR_CORRUPT); /* more than there are */
    CHECK(WITH(TREE, "\0" LARGEST "\0\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TREE, "\2\1\1\1\1\1\0") == FT_ERR_CORRUPT); /* a gap */
    CHECK(WITH(TREE, LARGEST "\1\1\1\1\1\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TREE, "\0\1\1\0\0\0\0") == FT_ERR_CORRUPT);   /* a root with a parent */
    CHECK(WITH(TREE, "\0\1\0\1\0\0\0") == FT_ERR_CORRUPT);   /* a root with a code */
    CHECK(WITH(TREE, "\1\1\0\1\1\1\0") == FT_ERR_CORRUPT);   /* its own parent */
    CHECK(WITH(TREE, "\1\1\2\1\1\1\0") == FT_ERR_CORRUPT);   /* a parent before the root */
    CHECK(WITH(TREE, "\1\1\1\0\1\1\0") == FT_ERR_CORRUPT);   /* no code */
    CHECK(WITH(TREE, "\1\1\1\2\1\1\0") == FT_ERR_CORRUPT);   /* no such code */
    CHECK(WITH(TREE, "\1\1\1\1\1\1\0\0") == FT_ERR_CORRUPT); /* a byte too many */
    CHECK(WITH(TREE, "\1\1\1\1\1\1\x80") == FT_ERR_CORRUPT); /* a number that goes on */
    CHECK(WITH(TREE, "\1\1\1\1\1" TOO_LONG "\1") == FT_ERR_CORRUPT);
    ft_chunk other = {.type = FT_CHUNK_TREE, .stream = 1}; /* no such thread */
    CHECK(status_with(other, "\1\1\1\1\1\1\0", 7) == FT_ERR_CORRUPT);
    other.stream = UINT32_MAX;
    CHECK(status_with(other, "\1\1\1\1\1\1\0", 7) == FT_ERR_CORRUPT);
}

/* Three nodes: code 1, a task and another one, then a payload of links. */
static ft_status status_of_links(uint32_t stream, const char *raw, size_t length)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    BUILD(&file, CODE, "\5\0\0\0\0");
    BUILD(&file, TREE, "\1\3\1\1\1\1\2\2\0\0\0\0\0\0\0\0\0");
    const ft_chunk links = {.type = FT_CHUNK_LINK, .flags = FT_CHUNK_SKIPPABLE, .stream = stream};
    build_chunk(&file, links, raw, length);
    ft_status status = read_built(&file, NULL);
    builder_fini(&file);
    return status;
}

#define WITH_LINKS(stream, literal) status_of_links(stream, literal, sizeof literal - 1)

static void test_links(void)
{
    CHECK(WITH_LINKS(0, "") == FT_OK);
    CHECK(WITH_LINKS(0, "\2\1") == FT_OK);
    CHECK(WITH_LINKS(0, "\3\1") == FT_OK);
    CHECK(WITH_LINKS(0, "\3\2") == FT_OK);
    CHECK(WITH_LINKS(0, "\2\1\1\1") == FT_OK);
    CHECK(WITH_LINKS(0, "\3\3") == FT_ERR_CORRUPT); /* the root creates nothing */
    CHECK(WITH_LINKS(0, "\2\0") == FT_ERR_CORRUPT); /* nor a task itself */
    CHECK(WITH_LINKS(0, "\2\3") == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, "\1\1") == FT_ERR_CORRUPT); /* no task */
    CHECK(WITH_LINKS(0, "\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, "\4\1") == FT_ERR_CORRUPT);     /* no node */
    CHECK(WITH_LINKS(0, "\2\1\0\1") == FT_ERR_CORRUPT); /* twice */
    CHECK(WITH_LINKS(0, "\2\1\2\1") == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, "\2") == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, "\2" U32_MORE) == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, U32_MORE "\1") == FT_ERR_CORRUPT);
    CHECK(WITH_LINKS(0, "\2\1\xff\xff\xff\xff\xf\1") == FT_ERR_CORRUPT); /* round the end */
    CHECK(WITH_LINKS(1, "\2\1") == FT_ERR_CORRUPT);                      /* no thread */
    CHECK(WITH(LINK, "\1\1") == FT_ERR_CORRUPT);                         /* before its tree */
}

static void test_lines(void)
{
    CHECK(WITH(LINE, "") == FT_OK);
    CHECK(WITH(LINE, "\1\6\2\7\7\7") == FT_OK);
    CHECK(WITH(LINE, "\1\6\2\7\0\1\1\6\1\1\1\0") == FT_OK);                /* summed */
    CHECK(WITH(LINE, "\1\6" LARGEST LARGEST "\0\0\1\6\1\1\0\0") == FT_OK); /* no more than all */
    CHECK(WITH(LINE, "\1\0\2\0\0\0") == FT_OK);
    CHECK(WITH(LINE, "\1\0\2\1\0\0") == FT_ERR_CORRUPT); /* the function itself has no time */
    CHECK(WITH(LINE, "\0\6\2\7\0\0") == FT_ERR_CORRUPT); /* the root has no lines */
    CHECK(WITH(LINE, "\2\6\2\7\0\0") == FT_ERR_CORRUPT); /* no such code */
    CHECK(WITH(LINE, "\1\6\2\7\10\0") == FT_ERR_CORRUPT);
    CHECK(WITH(LINE, "\1\6\2\7\0\10") == FT_ERR_CORRUPT);
    CHECK(WITH(LINE, "\1\6\2\7\0") == FT_ERR_CORRUPT);
    CHECK(WITH(LINE, "\1" U32_MORE "\2\7\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(LINE, "\1\6\2" TOO_LONG "\0\0") == FT_ERR_CORRUPT);

    CHECK(WITH(SRCE, "\1\0\1\1\0\1") == FT_OK); /* the first stands */
    CHECK(WITH(SRCE, "\1\2") == FT_ERR_CORRUPT);
    CHECK(WITH(SRCE, "\2\1") == FT_ERR_CORRUPT);
    CHECK(WITH(SRCE, "\1") == FT_ERR_CORRUPT);
}

/* Lines of what has none: a C function, a task. */
static void test_lines_of_others(void)
{
    for (char kind = FT_CODE_C; kind < FT_CODE_KINDS; kind++) {
        const char code[] = {kind, 0, 1, 0, 0};
        builder file;
        builder_init(&file);
        build_dictionaries(&file);
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_CODE}, code, sizeof code);
        BUILD(&file, LINE, "\2\1\0\0\0\0");
        CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
        builder_fini(&file);
    }
}

/* Two processes, then a site below another one and the chunk. */
#define ZERO "\0\0\0\0\0\0\0\0" /* doubles */
#define NANOSECOND "\x95\xd6\x26\xe8\x0b\x2e\x11\x3e"
#define MINUS "\x95\xd6\x26\xe8\x0b\x2e\x11\xbe"
#define MORE_THAN_ALL "\0\0\0\0\0\0\xf0\x7f"
#define NO_NUMBER "\1\0\0\0\0\0\xf0\xff"
#define SERIES "\1\1\5" NANOSECOND "\0\0\0\0"

/* The status of a file with two series, the second with a group of two samples, and one chunk. */
static ft_status status_of_timings(ft_chunk head, const void *raw, size_t length)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    BUILD(&file, TIME, SERIES SERIES);
    BUILD(&file, SMPL, "\1\0\2" ZERO NANOSECOND);
    build_chunk(&file, head, raw, length);
    ft_status status = read_built(&file, NULL);
    builder_fini(&file);
    return status;
}

#define WITH_TIMINGS(name, literal)                                                                \
    status_of_timings((ft_chunk){.type = FT_CHUNK_##name}, literal, sizeof literal - 1)

static void test_series(void)
{
    CHECK(WITH(TIME, SERIES) == FT_OK);
    CHECK(WITH(TIME, "\0\2" LARGEST ZERO "\3" LARGEST LARGEST LARGEST) == FT_OK);
    CHECK(WITH(TIME, "\2\1\5" ZERO "\0\0\0\0") == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH(TIME, "\1\0\5" ZERO "\0\0\0\0") == FT_ERR_CORRUPT); /* no clock */
    CHECK(WITH(TIME, "\1\3\5" ZERO "\0\0\0\0") == FT_ERR_NEWER);
    CHECK(WITH(TIME, "\1" U32_MORE "\5" ZERO "\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TIME, "\1\1\0" ZERO "\0\0\0\0") == FT_ERR_CORRUPT); /* no loop */
    CHECK(WITH(TIME, "\1\1\5" MINUS "\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TIME, "\1\1\5" MORE_THAN_ALL "\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TIME, "\1\1\5" NO_NUMBER "\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(TIME, "\1\1\5" ZERO "\10\0\0\0") == FT_ERR_CORRUPT); /* an unknown bit */
    CHECK(WITH(TIME, "\1\1\5" ZERO "\4\0\0\0") == FT_ERR_CORRUPT);  /* the first, with none */
    CHECK(WITH(TIME, SERIES "\1\1\5" ZERO "\4\0\0\0") == FT_OK);
    CHECK(WITH(TIME, "\1\1\5" ZERO "\2\1\0\0") == FT_ERR_CORRUPT); /* bytes not known */
    CHECK(WITH(TIME, "\1\1\5" ZERO "\2\0\1\0") == FT_ERR_CORRUPT); /* blocks */
    CHECK(WITH(TIME, "\1\1\5" ZERO "\1\1\1\1") == FT_ERR_CORRUPT); /* a peak */
    CHECK(WITH(TIME, "\1\1\5\0\0\0\0\0\0\0") == FT_ERR_CORRUPT);   /* half a double */
    CHECK(WITH(TIME, "\1\1\5" ZERO "\0\0\0") == FT_ERR_CORRUPT);
}

static void test_counters(void)
{
    CHECK(WITH_TIMINGS(CNTR, "\0\1" ZERO "\0\0" MINUS "\1\1" NANOSECOND) == FT_OK);
    CHECK(WITH_TIMINGS(CNTR, "\2\1" ZERO) == FT_ERR_CORRUPT); /* no such series */
    CHECK(WITH_TIMINGS(CNTR, "\1\2" ZERO) == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH_TIMINGS(CNTR, "\1\1" ZERO "\0\1" ZERO) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(CNTR, "\1\1" ZERO "\1\0" ZERO "\1\1" ZERO) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(CNTR, "\1\1" MORE_THAN_ALL) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(CNTR, "\1\1" NO_NUMBER) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(CNTR, "\1\1\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(CNTR, "\0\1" ZERO) == FT_ERR_CORRUPT);
}

static void test_samples(void)
{
    CHECK(WITH_TIMINGS(SMPL, "\1\0\1" MINUS "\1\0\0\1\1\0\1\2\1" ZERO) == FT_OK);
    CHECK(WITH_TIMINGS(SMPL, "\1\2\0") == FT_ERR_CORRUPT); /* one was left out */
    CHECK(WITH_TIMINGS(SMPL, "\1\1\0\1\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(SMPL, "\0\0\0") == FT_ERR_CORRUPT); /* a series before */
    CHECK(WITH_TIMINGS(SMPL, "\2\0\0") == FT_ERR_CORRUPT); /* no such series */
    CHECK(WITH_TIMINGS(SMPL, "\1\xff\xff\xff\xff\xf\0") == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(SMPL, "\1\1\2" ZERO) == FT_ERR_CORRUPT); /* fewer than it says */
    CHECK(WITH_TIMINGS(SMPL, "\1\1\xff\xff\xff\xff\xf" ZERO) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(SMPL, "\1\1\1\0\0\0\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(SMPL, "\1\0\1" MORE_THAN_ALL) == FT_ERR_CORRUPT);
    CHECK(WITH_TIMINGS(SMPL, "\1\0\2" ZERO NO_NUMBER) == FT_ERR_CORRUPT);
    CHECK(WITH(SMPL, "\0\0\0") == FT_ERR_CORRUPT);
}

/* Series are of one segment: the next one has none yet, and goes on with no group. */
static void test_other_segments_series(void)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    BUILD(&file, TIME, SERIES);
    BUILD(&file, SMPL, "\0\0\1" ZERO);
    build_rest(&file);
    size_t first = file.file.length;
    build_dictionaries(&file);
    BUILD(&file, SMPL, "\0\0\1" ZERO);
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);

    file.file.length = first;
    build_dictionaries(&file);
    BUILD(&file, TIME, "\1\1\5" ZERO "\4\0\0\0"); /* together with one of another segment */
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);

    file.file.length = first;
    build_dictionaries(&file);
    BUILD(&file, TIME, SERIES);
    BUILD(&file, SMPL, "\0\1\1" ZERO);
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
    builder_fini(&file);
}

/* As many series and counters as there may be, and one more. */
static void test_many_series(void)
{
    char texts[2 * (FT_SERIES_COUNTERS_MAX + 1)];
    for (size_t i = 0; i <= FT_SERIES_COUNTERS_MAX; i++) {
        texts[2 * i] = 1;
        texts[2 * i + 1] = (char)('b' + i);
    }
    builder file;
    builder_init(&file);
    for (int more = 0; more < 2; more++) {
        ft_buf_clear(&file.file);
        build_dictionaries(&file);
        for (int i = 0; i < FT_SERIES_MAX + more; i++)
            BUILD(&file, TIME, SERIES);
        CHECK(read_built(&file, NULL) == (more ? FT_ERR_LIMIT : FT_OK));
        ft_buf_clear(&file.file);
        build_dictionaries(&file);
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_TEXT}, texts, sizeof texts);
        BUILD(&file, TIME, SERIES);
        for (int i = 0; i < FT_SERIES_COUNTERS_MAX + more; i++) {
            char counter[] = "\0\2" ZERO;
            counter[1] = (char)(counter[1] + i);
            build_chunk(&file, (ft_chunk){.type = FT_CHUNK_CNTR}, counter, sizeof counter - 1);
        }
        CHECK(read_built(&file, NULL) == (more ? FT_ERR_LIMIT : FT_OK));
    }
    builder_fini(&file);
}

static ft_status status_of_memory(ft_chunk head, const void *raw, size_t length)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    BUILD(&file, PROC, "\10\1\1\1\0\0");
    BUILD(&file, SITE, "\1\6\0\0\1\1\1\1\1\1\1\1\1\7\1\0\1\1\1\1\1\1\1\1");
    BUILD(&file, PONT, "\0\1\0\0\0\0\1\1\0\0\0\0");
    build_chunk(&file, head, raw, length);
    ft_status status = read_built(&file, NULL);
    builder_fini(&file);
    return status;
}

#define WITH_MEMORY(name, literal)                                                                 \
    status_of_memory((ft_chunk){.type = FT_CHUNK_##name}, literal, sizeof literal - 1)

#define EIGHT "\1\1\1\1\1\1\1\1"

static void test_sites(void)
{
    CHECK(WITH_MEMORY(SITE, "") == FT_OK);
    CHECK(WITH_MEMORY(SITE, "\1\6\2\0" EIGHT) == FT_OK);
    CHECK(WITH_MEMORY(SITE, "\1\6\0\0" EIGHT) == FT_OK);          /* summed */
    CHECK(WITH_MEMORY(SITE, "\0\0\0\0" EIGHT) == FT_OK);          /* an unknown place */
    CHECK(WITH_MEMORY(SITE, "\1\0\0\1" EIGHT) == FT_OK);          /* an unknown line */
    CHECK(WITH_MEMORY(SITE, "\1\6\3\0" EIGHT) == FT_ERR_CORRUPT); /* its own parent */
    CHECK(WITH_MEMORY(SITE, "\1\6\4\0" EIGHT) == FT_ERR_CORRUPT); /* one that comes later */
    CHECK(WITH_MEMORY(SITE, "\0\6\0\0" EIGHT) == FT_ERR_CORRUPT); /* a line of no function */
    CHECK(WITH_MEMORY(SITE, "\2\6\0\0" EIGHT) == FT_ERR_CORRUPT); /* no such code */
    CHECK(WITH_MEMORY(SITE, "\1\6\0\0\1\1\1\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(SITE, "\1" U32_MORE "\0\0" EIGHT) == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(SITE, "\1\6" U32_MORE "\0" EIGHT) == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(SITE, "\1\6\0" U32_MORE EIGHT) == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(SITE, "\1\6\0\0\1\1\1\1\1\1\1" TOO_LONG) == FT_ERR_CORRUPT);
    CHECK(WITH(SITE, "\1\6\1\0" EIGHT) == FT_ERR_CORRUPT); /* the first one's parent */
    for (char kind = FT_CODE_C; kind < FT_CODE_KINDS; kind++) {
        const char code[] = {kind, 0, 1, 0, 0};
        builder file;
        builder_init(&file);
        build_dictionaries(&file);
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_CODE}, code, sizeof code);
        BUILD(&file, SITE, "\2\1\0\0" EIGHT);
        CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
        builder_fini(&file);
    }
}

static void test_heaps(void)
{
    CHECK(WITH_MEMORY(HEAP, "\0\1\0\1\1\1\1\1\1\1\1\0\1\1\1\1\1\1") == FT_OK);
    CHECK(WITH_MEMORY(HEAP, "\1\1\0" LARGEST LARGEST "\1\1\1\1") == FT_OK);
    CHECK(WITH_MEMORY(HEAP, "\2\1\0\1\1\1\1\1\1") == FT_ERR_CORRUPT); /* no such process */
    CHECK(WITH_MEMORY(HEAP, "\0\1\0\1\1\1\1\1\1\0\1\0\1\1\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(HEAP, "\1\1\0\1\1\1\1\1\1\0\1\0\1\1\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(HEAP, "\0" U32_MORE "\0\1\1\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(HEAP, "\0\1\0\1\1\1\1\1") == FT_ERR_CORRUPT);

    CHECK(WITH_MEMORY(MOMT, "\0\5\1\1\0\5\1\1\1\0\1\1") == FT_OK);
    CHECK(WITH_MEMORY(MOMT, "\0\5\1\1\0\4\1\1") == FT_ERR_CORRUPT); /* back in time */
    CHECK(WITH_MEMORY(MOMT, "\1\5\1\1\0\6\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(MOMT, "\2\5\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(MOMT, "\0\5\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(MOMT, "\0" TOO_LONG "\1\1") == FT_ERR_CORRUPT);
}

static void test_points(void)
{
    CHECK(WITH_MEMORY(PONT, "\1\1\0\0\0\0") == FT_OK);
    CHECK(WITH_MEMORY(PONT, "\0\1\0\0\0\0") == FT_ERR_CORRUPT); /* after one of process 1 */
    CHECK(WITH_MEMORY(PONT, "\2\1\0\0\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(PONT, "\1\2\0\0\0\0") == FT_ERR_CORRUPT); /* no such text */
    CHECK(WITH_MEMORY(PONT, "\1\1\0\0\0") == FT_ERR_CORRUPT);

    CHECK(WITH_MEMORY(PROW, "\0\2\1\1\0\1\1\1\1\1\1\1") == FT_OK);
    CHECK(WITH_MEMORY(PROW, "\0\1\1\1\0\1\1\1") == FT_OK);
    CHECK(WITH_MEMORY(PROW, "\1\1\1\1\0\1\1\1") == FT_ERR_CORRUPT); /* out of order */
    CHECK(WITH_MEMORY(PROW, "\2\1\1\1") == FT_ERR_CORRUPT);         /* no such point */
    CHECK(WITH_MEMORY(PROW, "\0\3\1\1") == FT_ERR_CORRUPT);         /* no such site */
    CHECK(WITH_MEMORY(PROW, "\0\0\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(PROW, "\0\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH(PROW, "\0\1\1\1") == FT_ERR_CORRUPT);
}

static void test_objects(void)
{
    CHECK(WITH_MEMORY(OBJS, "\1\1\0\1\1\0\1\2\1\1\0\1\2\1\1") == FT_OK);
    CHECK(WITH_MEMORY(OBJS, "\2\1\0\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(OBJS, "\0\2\0\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(OBJS, "\0\1\3\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(OBJS, "\0\1\0\1") == FT_ERR_CORRUPT);

    CHECK(WITH_MEMORY(CLAS, "\1\1\0\1\1\1\1\0\1\1\1\1\1\0") == FT_OK);
    CHECK(WITH_MEMORY(CLAS, "\2\1\0\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(CLAS, "\1\2\0\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(CLAS, "\1\1\2\1\1\1\1") == FT_ERR_CORRUPT);
    CHECK(WITH_MEMORY(CLAS, "\1\1\0\1\1\1") == FT_ERR_CORRUPT);
}

/* Ids of the segment before mean nothing. */
static void test_other_segments_memory(void)
{
    static const struct {
        uint32_t type;
        const char *raw;
        size_t length;
    } chunks[] = {{FT_CHUNK_SITE, "\1\6\1\0" EIGHT, 12}, /* a parent */
                  {FT_CHUNK_PROW, "\0\1\1\1", 4},
                  {FT_CHUNK_OBJS, "\0\1\1\1\1", 5},
                  {FT_CHUNK_HEAP, "\1\1\0\1\1\1\1\1\1", 9}};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        builder file;
        builder_init(&file);
        build_dictionaries(&file);
        BUILD(&file, SITE, "\1\6\0\0" EIGHT);
        BUILD(&file, PONT, "\0\1\0\0\0\0");
        build_rest(&file);
        build_dictionaries(&file);
        const ft_chunk head = {.type = chunks[i].type};
        build_chunk(&file, head, chunks[i].raw, chunks[i].length);
        CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
        builder_fini(&file);
    }
}

/* A tree of a thread that only the segment before has. */
static void test_other_segments_thread(void)
{
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    build_rest(&file);
    build_dictionaries(&file);
    const ft_chunk tree = {.type = FT_CHUNK_TREE, .stream = 1};
    build_chunk(&file, tree, "\1\1\1\1\1\1\0", 7);
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
    builder_fini(&file);
}

/* Ones padded with zeros to so many bytes that the first columns eat the whole payload: the
 * columns after them would stand behind it. */
static void test_padded_columns(void)
{
    static const size_t widths[] = {10, 5, 3, 2};
    static uint8_t raw[FT_FORMAT_RAW_MAX];
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        uint8_t *at = ft_varint_put(raw, 1);
        at = ft_varint_put(at, FT_FORMAT_RAW_MAX / 10); /* nodes */
        while ((size_t)(raw + sizeof raw - at) >= widths[i]) {
            memset(at, 0x80, widths[i]);
            at[0] = 0x81;
            at[widths[i] - 1] = 0;
            at += widths[i];
        }
        const ft_chunk tree = {.type = FT_CHUNK_TREE};
        CHECK(status_with(tree, raw, (size_t)(at - raw)) == FT_ERR_CORRUPT);
    }
}

static void test_ends(void)
{
    CHECK(WITH(END, "\1\1\1\1\0\0") == FT_OK);
    CHECK(WITH(END, "\2\1\1\1\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\2\1\1\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\2\1\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\1\2\0\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\1\1\1\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\1\1\0\1") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\1\1\0") == FT_ERR_CORRUPT);
    CHECK(WITH(END, "\1\1\1\1\0\0\0") == FT_ERR_CORRUPT);

    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    build_rest(&file);
    BUILD(&file, TEXT, "\1b"); /* after the end */
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
    builder_fini(&file);
}

static void test_heads(void)
{
    ft_chunk newer = {.type = FT_FORMAT_TYPE('L', 'A', 'T', 'E'), .flags = FT_CHUNK_SKIPPABLE};
    builder file;
    ft_reader_report report = {0};
    builder_init(&file);
    build_dictionaries(&file);
    newer.flags |= 1u << 31; /* a flag of the future, on a type of the future */
    build_chunk(&file, newer, "whatever", 8);
    build_rest(&file);
    CHECK(read_built(&file, &report) == FT_OK && report.newer_chunks == 1 && report.ended);
    builder_fini(&file);

    newer.flags = 0;
    CHECK(status_with(newer, "", 0) == FT_ERR_NEWER);
    ft_chunk text = {.type = FT_CHUNK_TEXT, .flags = 4};
    CHECK(status_with(text, "\1b", 2) == FT_ERR_NEWER);
    text = (ft_chunk){.type = FT_CHUNK_TEXT, .stream = 1};
    CHECK(status_with(text, "\1b", 2) == FT_ERR_CORRUPT);
    ft_chunk code = {.type = FT_CHUNK_CODE, .flags = FT_CHUNK_CONTINUES};
    CHECK(status_with(code, "\2\0\1\0\0", 5) == FT_ERR_CORRUPT);
}

static void test_versions(void)
{
    builder file;
    builder_init(&file);
    build_header(&file, FT_FORMAT_MAJOR + 1);
    CHECK(read_built(&file, NULL) == FT_ERR_NEWER);
    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    build_rest(&file);
    build_header(&file, FT_FORMAT_MAJOR + 1); /* a newer recording behind an old one */
    CHECK(read_built(&file, NULL) == FT_ERR_NEWER);
    builder_fini(&file);
}

static void test_sequences(void)
{
    builder file;
    ft_reader_report report;
    builder_init(&file);
    build_dictionaries(&file);
    file.sequence++; /* a chunk was left out */
    BUILD(&file, TREE, "\0\1\0\0\0\0\0");
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);

    ft_buf_clear(&file.file);
    build_header(&file, FT_FORMAT_MAJOR);
    BUILD(&file, META, "\1k\1v");
    file.sequence = 0; /* a finisher begins again */
    BUILD(&file, META, "\1k\1w");
    CHECK(read_built(&file, &report) == FT_OK && report.opening_bytes == file.file.length);
    BUILD(&file, TEXT, "\1a");
    file.sequence = 0; /* but not after a dictionary: ids would be counted twice */
    BUILD(&file, META, "\1k\1w");
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
    builder_fini(&file);
}

static void test_continued_texts(void)
{
    const ft_chunk half = {.type = FT_CHUNK_TEXT, .flags = FT_CHUNK_CONTINUES};
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    build_chunk(&file, half, "\1b\1c", 4);
    build_chunk(&file, half, "\0", 1);
    BUILD(&file, TEXT, "\1d\1e");
    BUILD(&file, END, "\4\1\1\1\0\0"); /* a, b, cd, e */
    CHECK(read_built(&file, NULL) == FT_OK);

    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    build_chunk(&file, half, "\1b", 2);
    BUILD(&file, CODE, "\1\1\1\1\5"); /* not the rest of the text */
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);

    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    build_chunk(&file, half, "\1b", 2);
    BUILD(&file, TEXT, ""); /* nothing of it */
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);

    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    build_chunk(&file, half, "", 0); /* a beginning of nothing */
    CHECK(read_built(&file, NULL) == FT_ERR_CORRUPT);
    builder_fini(&file);
}

/* Payloads whose frame is not what the head says; the checksums are right. */
static void test_frames(void)
{
    builder file;
    uint8_t *head;
    builder_init(&file);
    ft_packer packer = file.packer;
    static const uint8_t zeros[FT_FORMAT_RAW_MAX];
    const ft_chunk meta = {.type = FT_CHUNK_META};
    for (int wrong = 0; wrong < 6; wrong++) {
        ft_buf_clear(&file.file);
        build_header(&file, FT_FORMAT_MAJOR);
        size_t start = file.file.length;
        if (ft_packer_put(&packer, &meta, zeros, 64, &file.file) != FT_OK)
            abort();
        if (wrong == 0)
            ft_buf_put_byte(&file.file, 0); /* behind the frame */
        if (wrong == 1)
            file.file.data[start + FT_FORMAT_CHUNK_HEAD_BYTES] ^= 1; /* zstd's magic */
        if (wrong == 3)
            file.file.length--;
        if (wrong == 4) /* a second frame, without content: a skippable one */
            ft_buf_put(&file.file, "\x50\x2a\x4d\x18\0\0\0\0", 8);
        head = file.file.data + start;
        if (wrong == 2)
            head[8]++; /* raw length */
        uint32_t stored = (uint32_t)(file.file.length - start - FT_FORMAT_CHUNK_HEAD_BYTES);
        head[12] = (uint8_t)stored;
        uint32_t crc = ft_crc32c(0, head, 24);
        crc = ft_crc32c(crc, head + FT_FORMAT_CHUNK_HEAD_BYTES, stored);
        for (int i = 0; i < 4; i++)
            head[24 + i] = (uint8_t)(crc >> 8 * i);
        CHECK(stored < 256); /* the byte above is all of it */
        CHECK(read_built(&file, NULL) == (wrong < 5 ? FT_ERR_CORRUPT : FT_OK));
    }
    builder_fini(&file);
}

/* A small file that unpacks to gigabytes is refused before it has filled the machine. */
static void test_bombs(void)
{
    static const uint8_t zeros[FT_FORMAT_RAW_MAX]; /* a million empty texts */
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    for (int i = 0; i < 2000; i++)
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_TEXT}, zeros, sizeof zeros);
    CHECK(file.file.length < 500000);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);

    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    for (int i = 0; i < 2000; i++) /* 349 525 threads a chunk */
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_THRD}, zeros, sizeof zeros / 3 * 3);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);

    ft_buf_clear(&file.file);
    build_header(&file, FT_FORMAT_MAJOR);
    for (int i = 0; i < 100; i++) /* half a million times the empty property */
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_META}, zeros, sizeof zeros);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);

    ft_buf_clear(&file.file);
    build_header(&file, FT_FORMAT_MAJOR);
    for (int i = 0; i < 100; i++) /* half a million times the source of the empty file */
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_SRCE}, zeros, sizeof zeros);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);

    ft_buf_clear(&file.file);
    build_dictionaries(&file);
    for (int i = 0; i < 2000; i++) /* 149 796 classes a chunk */
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_CLAS}, zeros, sizeof zeros / 7 * 7);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);
    builder_fini(&file);
}

/* The same of samples: 131 056 a chunk, all in one group. */
static void test_bomb_of_samples(void)
{
    static const uint8_t samples[FT_FORMAT_RAW_MAX] = {0, 0, 0xf0, 0xff, 0x07};
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    BUILD(&file, TIME, SERIES);
    for (int i = 0; i < 2000; i++)
        build_chunk(&file, (ft_chunk){.type = FT_CHUNK_SMPL}, samples, 5 + 131056 * 8);
    CHECK(read_built(&file, NULL) == FT_ERR_LIMIT);
    builder_fini(&file);
}

/* More segments than a file ever has, each beginning anew. */
static void test_many_segments(void)
{
    builder file;
    builder_init(&file);
    for (int i = 0; i < 100000; i++)
        build_header(&file, FT_FORMAT_MAJOR);
    build_dictionaries(&file);
    build_rest(&file);
    for (int i = 0; i < 2000; i++) {
        build_dictionaries(&file);
        build_rest(&file);
    }
    ft_reader_report report = {0};
    CHECK(read_built(&file, &report) == FT_OK && report.ended);
    builder_fini(&file);
}

int main(void)
{
    test_sound();
    test_lists();
    test_trees();
    test_links();
    test_lines();
    test_lines_of_others();
    test_sites();
    test_heaps();
    test_points();
    test_objects();
    test_other_segments_memory();
    test_series();
    test_counters();
    test_samples();
    test_other_segments_series();
    test_many_series();
    test_other_segments_thread();
    test_padded_columns();
    test_ends();
    test_heads();
    test_versions();
    test_sequences();
    test_continued_texts();
    test_frames();
    test_bombs();
    test_bomb_of_samples();
    test_many_segments();
    return tap_end();
}
