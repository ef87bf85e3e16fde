/* SPDX-License-Identifier: Apache-2.0 */
/* test_tracemalloc.c: tracemalloc's pickles, byte by byte: what is read, what is refused and how
 * that is named. What Python itself writes is read in tests/format/test_snapshots.py; the pickle
 * machine has test_pickle.c. */
#include <string.h>

#include "engine/file/tracemalloc_reader.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

/* Pieces of a file. */
#define OBJECT(name, state) "ctracemalloc\n" name "\n)\x81" state "b"
#define TEXT(length, text) "\x8c" length text
#define FRAME "\x8c\4a.pyK\5\x86"
#define STACK FRAME "\x85"
#define RAW "(K\0K\x07" STACK "K\1t"
#define TRACES(sequence) OBJECT("_Traces", "}" TEXT("\7", "_traces") sequence "s")
#define SNAPSHOT(traces, more) OBJECT("Snapshot", "}(" TEXT("\6", "traces") traces more "u")
#define LIMIT TEXT("\17", "traceback_limit") "K\3"
#define FILE_OF(sequence) "\x80\4" SNAPSHOT(TRACES(sequence), LIMIT) "."
#define WITH_RAW(raw) FILE_OF("](" raw "e")
#define WITH_GROUP(group) FILE_OF(OBJECT("_Blocks", "](" group "e"))
#define WITH_MORE(more) "\x80\4" SNAPSHOT(TRACES("]"), more) "."

typedef struct outcome {
    ft_status status;
    ft_pickle_fault fault;
    uint32_t groups, stacks, attributes;
    ft_traces_group first;
    ft_traces_frame frame; /* of the first stack */
    ft_traces_attribute attribute;
} outcome;

/* Reads a block exactly as large: a sanitizer finds what reads behind it. */
static outcome read_bytes(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    outcome got = {.fault = {""}};
    ft_traces traces;
    must(copy != NULL && ft_traces_init(&traces, &ft_mem_system) == FT_OK);
    memcpy(copy, bytes, length);
    got.status = ft_tracemalloc_reader_read(copy, length, &traces, &got.fault);
    free(copy);
    must((got.status == FT_ERR_CORRUPT) == (got.fault.text[0] != '\0'));
    got.groups = traces.group_count;
    got.stacks = traces.stack_count;
    got.attributes = traces.attribute_count;
    if (got.groups > 0)
        got.first = traces.groups[0];
    if (traces.frame_count > 0)
        got.frame = traces.frames[0];
    if (got.attributes > 0)
        got.attribute = traces.attributes[0];
    ft_traces_fini(&traces);
    return got;
}

#define READ(literal) read_bytes(literal, sizeof literal - 1)
#define STATUS(literal) READ(literal).status
#define REFUSES(literal, what) is_refused(READ(literal), what)

static bool is_refused(outcome got, const char *what)
{
    return got.status == FT_ERR_CORRUPT && strncmp(got.fault.text, what, strlen(what)) == 0;
}

static bool has_group(outcome got, ft_traces_group wanted)
{
    return got.status == FT_OK && got.groups == 1 && got.first.size == wanted.size &&
           got.first.count == wanted.count && got.first.domain == wanted.domain &&
           got.first.depth == wanted.depth;
}

static void test_traces(void)
{
    CHECK(has_group(READ(WITH_RAW(RAW)), (ft_traces_group){.size = 7, .count = 1, .depth = 2}));
    CHECK(READ(WITH_RAW(RAW)).frame.line == 5);
    CHECK(STATUS(FILE_OF(RAW "\x85")) == FT_OK);             /* a tuple of them */
    CHECK(has_group(READ(WITH_RAW("K\2K\x07" STACK "\x87")), /* before Python 3.9 */
                    (ft_traces_group){.size = 7, .count = 1, .domain = 2}));
    CHECK(has_group(READ(WITH_RAW("(K\0K\x07" STACK "Nt")),
                    (ft_traces_group){.size = 7, .count = 1}));
    CHECK(has_group(READ(WITH_GROUP(RAW "K\3\x86")),
                    (ft_traces_group){.size = 7, .count = 3, .depth = 2}));
    /* Of one stack: equal neighbours join. */
    CHECK(has_group(READ(WITH_RAW("(K\0K\x07" STACK "\x94K\1t"
                                  "(K\0K\x07h\0K\1t")),
                    (ft_traces_group){.size = 7, .count = 2, .depth = 2}));
    CHECK(READ(FILE_OF("]")).groups == 0 && STATUS(FILE_OF("]")) == FT_OK);
}

static void test_wrong_traces(void)
{
    static const char form[] = "a trace of another form";
    CHECK(REFUSES(WITH_RAW("N"), form) && REFUSES(WITH_RAW("K\0K\x07\x86"), form));
    CHECK(REFUSES(WITH_RAW("(K\0K\x07" STACK "K\1K\1t"), form));
    CHECK(REFUSES(WITH_RAW("(J\xff\xff\xff\xffK\x07" STACK "K\1t"), form)); /* domain -1 */
    CHECK(REFUSES(WITH_RAW("(K\0J\xff\xff\xff\xff" STACK "K\1t"), form));   /* -1 bytes */
    CHECK(REFUSES(WITH_RAW("(K\0K\x07" STACK "J\xff\xff\xff\xfft"), form));
    CHECK(REFUSES(WITH_RAW("(K\0K\x07NK\1t"), form) && REFUSES(WITH_RAW("(K\0K\x07]K\1t"), form));
    CHECK(REFUSES(WITH_RAW("(K\0K\x07K\5\x85K\1t"), form));        /* a frame that is a number */
    CHECK(REFUSES(WITH_RAW("(K\0K\x07K\5K\5\x86\x85K\1t"), form)); /* without a file */
    CHECK(REFUSES(WITH_RAW("(K\0K\x07" TEXT("\1", "a") "N\x86\x85K\1t"), form));
    CHECK(REFUSES(WITH_GROUP(RAW), form) && REFUSES(WITH_GROUP(RAW "K\0\x86"), form));
    CHECK(REFUSES(WITH_GROUP(RAW "\x8a\7\0\0\0\0\0\0\1\x86"), form)); /* 2**48 blocks */
    CHECK(REFUSES(FILE_OF("}"), "no list of traces") && REFUSES(FILE_OF("N"), "no list of traces"));
    CHECK(REFUSES(FILE_OF(OBJECT("_Blocks", ")")), "no list of traces"));
    CHECK(REFUSES(FILE_OF(OBJECT("_Traces", "]")), "no list of traces"));
    CHECK(REFUSES(WITH_RAW("h\0"), "a misplaced BINGET at byte "));
    /* A tuple that holds itself is met as a frame. */
    CHECK(REFUSES(WITH_RAW("(K\0K\x07]\x94h\0a\x85K\1t"), form));
}

static void test_snapshots(void)
{
    CHECK(REFUSES("\x80\4N.", "no snapshot") && REFUSES("\x80\4].", "no snapshot"));
    CHECK(REFUSES("\x80\4" TRACES("]") ".", "no snapshot"));
    CHECK(REFUSES("\x80\4ctracemalloc\nSnapshot\n)\x81.", "no snapshot")); /* without a state */
    CHECK(REFUSES("\x80\4" OBJECT("Snapshot", "}") ".", "no traces"));
    CHECK(REFUSES("\x80\4" SNAPSHOT("]", LIMIT) ".", "no traces"));
    CHECK(REFUSES("\x80\4" SNAPSHOT(OBJECT("_Traces", "}"), LIMIT) ".", "no traces"));
    CHECK(REFUSES("\x80\4" SNAPSHOT(OBJECT("_Traces", "}K\1]s"), LIMIT) ".", "no traces"));
    CHECK(REFUSES("\x80\4" SNAPSHOT(OBJECT("_Traces", "}" TEXT("\1", "x") "]s"), LIMIT) ".",
                  "no traces"));
    CHECK(REFUSES("\x80\4" SNAPSHOT(TRACES("]"), TEXT("\6", "traces") TRACES("]")) ".",
                  "traces twice"));
    CHECK(REFUSES("\x80\4" OBJECT("Filter", "}") ".", "the name tracemalloc.Filter at byte 2"));
    CHECK(REFUSES("\x80\4cos\nsystem\n\x8c\4true\x85R.", "the name os.system at byte 2"));
    CHECK(REFUSES("\x80\4ctracemalloc\ntake_snapshot\n)R.",
                  "the name tracemalloc.take_snapshot at byte 2"));
    CHECK(STATUS("\x89PNG") == FT_ERR_FOREIGN && STATUS("") == FT_ERR_EMPTY);
}

static bool has_attribute(outcome got, ft_traces_kind kind, int64_t integer)
{
    return got.status == FT_OK && got.attributes == 1 && got.attribute.kind == kind &&
           (kind < FT_TRACES_INTEGER || got.attribute.value.integer == integer);
}

#define WITH_ATTRIBUTE(value) WITH_MORE(TEXT("\1", "x") value)

static void test_attributes(void)
{
    CHECK(has_attribute(READ(WITH_MORE(LIMIT)), FT_TRACES_INTEGER, 3));
    CHECK(has_attribute(READ(WITH_ATTRIBUTE("N")), FT_TRACES_NONE, 0));
    CHECK(has_attribute(READ(WITH_ATTRIBUTE("\x88")), FT_TRACES_TRUE, 0));
    CHECK(has_attribute(READ(WITH_ATTRIBUTE("\x89")), FT_TRACES_FALSE, 0));
    CHECK(READ(WITH_ATTRIBUTE("G\x3f\xf8\0\0\0\0\0\0")).attribute.kind == FT_TRACES_REAL);
    CHECK(READ(WITH_ATTRIBUTE(TEXT("\1", "y"))).attribute.kind == FT_TRACES_TEXT);
    CHECK(REFUSES(WITH_ATTRIBUTE("]"), "an attribute that is no number, text, truth value or"));
    CHECK(REFUSES(WITH_MORE("K\1K\1"), "an attribute without a name"));
}

static ft_status read_file(const ft_mem *mem)
{
    static const char file[] = WITH_RAW(RAW RAW);
    ft_traces traces;
    ft_pickle_fault fault;
    ft_status status = ft_traces_init(&traces, mem);
    if (status != FT_OK)
        return status;
    status = ft_tracemalloc_reader_read((const uint8_t *)file, sizeof file - 1, &traces, &fault);
    ft_traces_fini(&traces);
    return status;
}

int main(void)
{
    test_traces();
    test_wrong_traces();
    test_snapshots();
    test_attributes();
    CHECK(sweep(read_file));
    return tap_end();
}
