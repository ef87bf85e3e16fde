/* SPDX-License-Identifier: Apache-2.0 */
/* test_pickle.c: line_profiler's pickles, byte by byte: each opcode by hand, what is refused and
 * how that is named. What Python itself writes is read in tests/glue/test_line_profiler.py. */
#include <math.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/file/lprof_reader.h"
#include "tests/engine/profiles.h"
#include "tests/engine/tap.h"

/* Pieces of a file. */
#define CLASS "cline_profiler._line_profiler\nLineStats\n"
#define TEXT(length, text) "\x8c" length text
#define KEY TEXT("\1", "f") "K\7" TEXT("\1", "g") "\x87"
#define ROW "K\10K\2K\5\x87"
#define UNIT TEXT("\4", "unit") "G\x3e\xb0\xc6\xf7\xa0\xb5\xed\x8d" /* 1e-6 */
#define STATE(timings) "}(" TEXT("\7", "timings") timings UNIT "u"
#define FILE_OF(timings) "\x80\4" CLASS ")\x81" STATE(timings) "b."
#define TIMINGS(key, rows) "}" key rows "s"
#define WITH_ROW(row) FILE_OF(TIMINGS(KEY, "]" row "a"))
#define WITH_NUMBER(number) WITH_ROW("K\10" number "K\5\x87")
#define WITH_NAME(name) FILE_OF(TIMINGS(TEXT("\1", "f") "K\7" name "\x87", "]" ROW "a"))
#define OBJECT(how) "\x80\2" how STATE(TIMINGS(KEY, "]" ROW "a")) "b."

typedef struct outcome {
    ft_status status;
    ft_pickle_fault fault;
    uint32_t functions, lines;
    ft_timing first; /* line */
    char name[16];   /* of the first function */
    double unit;
} outcome;

/* Reads a block exactly as large: a sanitizer finds what reads behind it. */
static outcome read_bytes(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    outcome got = {.fault = {""}};
    ft_timings timings;
    must(copy != NULL && ft_timings_init(&timings, &ft_mem_system) == FT_OK);
    memcpy(copy, bytes, length);
    got.status = ft_lprof_reader_read(copy, length, &timings, &got.fault);
    free(copy);
    if (got.status == FT_OK) {
        got.functions = timings.function_count, got.lines = timings.line_count;
        got.unit = timings.unit;
        if (got.lines > 0)
            got.first = timings.lines[0];
        if (got.functions > 0)
            snprintf(got.name, sizeof got.name, "%s",
                     ft_strtab_get(&timings.texts, timings.functions[0].name).data);
    }
    ft_timings_fini(&timings);
    return got;
}

#define READ(literal) read_bytes(literal, sizeof literal - 1)
#define STATUS(literal) READ(literal).status
#define IS_READ(literal) is_usual(READ(literal))
#define NUMBER(literal) number_of(READ(WITH_NUMBER(literal)))
#define NAMES(literal, wanted) is_named(READ(WITH_NAME(literal)), wanted)
#define REFUSES(literal, what) is_refused(READ(literal), what)

/* One function g with one line, 8, that ran twice and took 5. */
static bool is_usual(outcome got)
{
    return got.status == FT_OK && got.functions == 1 && got.lines == 1 &&
           strcmp(got.name, "g") == 0 && got.first.line == 8 && got.first.hits == 2 &&
           got.first.time == 5 && !(fabs(got.unit - 1e-6) > 0);
}

static int64_t number_of(outcome got)
{
    must(got.status == FT_OK && got.lines == 1);
    return got.first.hits;
}

static bool is_named(outcome got, const char *wanted)
{
    return got.status == FT_OK && strcmp(got.name, wanted) == 0;
}

/* what: the whole fault, or how it begins. */
static bool is_refused(outcome got, const char *what)
{
    return got.status == FT_ERR_CORRUPT && strncmp(got.fault.text, what, strlen(what)) == 0;
}

static void test_what_is_no_pickle(void)
{
    CHECK(STATUS("") == FT_ERR_EMPTY);
    CHECK(STATUS("\x80") == FT_ERR_FOREIGN);
    CHECK(STATUS("{0") == FT_ERR_FOREIGN);
    CHECK(STATUS("\x80\1N.") == FT_ERR_FOREIGN && STATUS("\x80\x80N.") == FT_ERR_FOREIGN);
    CHECK(STATUS("cos\nsystem\n(S'true'\ntR.") == FT_ERR_FOREIGN);
    CHECK(REFUSES("\x80\4", "an early end at byte 2"));
    CHECK(REFUSES("\x80\6.", "the pickle protocol 6 at byte 0"));
    CHECK(REFUSES("\x80\4N.", "no line statistics"));
    CHECK(REFUSES(FILE_OF("}") "N.", "more than one pickle at byte "));
}

static void test_classes(void)
{
    CHECK(IS_READ(OBJECT(CLASS ")\x81")));
    CHECK(IS_READ(OBJECT("cline_profiler.line_profiler\nLineStats\n)\x81")));
    CHECK(IS_READ(OBJECT("c_line_profiler\nLineStats\n)\x81")));
    CHECK(IS_READ(
        OBJECT(TEXT("\34", "line_profiler._line_profiler") TEXT("\11", "LineStats") "\x93)\x81")));
    CHECK(REFUSES(OBJECT("cline_profiler\nLineStat\n)\x81"),
                  "the name line_profiler.LineStat at byte 2"));
    CHECK(REFUSES(OBJECT("cos\nsystem\n)\x81"), "the name os.system at byte 2"));
    CHECK(REFUSES(OBJECT(TEXT("\2", "os") TEXT("\6", "system") "\x93)\x81"),
                  "the name os.system at byte 14"));
    CHECK(REFUSES("\x80\2cbuiltins\neval\n.", "the name builtins.eval at byte 2"));
    CHECK(REFUSES("\x80\2K\1K\2\x93.", "a misplaced STACK_GLOBAL at byte 6"));
}

#define OLD_START "ccopy_reg\n_reconstructor\n(" CLASS "c__builtin__\nobject\nNt"

static void test_objects(void)
{
    CHECK(IS_READ(OLD_START "R" STATE(TIMINGS(KEY, "]" ROW "a")) "b."));
    CHECK(REFUSES("\x80\2" CLASS "N\x81.", "a misplaced NEWOBJ at byte 43"));
    CHECK(REFUSES("\x80\2" CLASS "K\1\x85\x81.", "a misplaced NEWOBJ at byte 45"));
    CHECK(REFUSES("\x80\2N)\x81.", "a misplaced NEWOBJ at byte 4"));
    CHECK(REFUSES("\x80\2" CLASS ")R.", "a misplaced REDUCE at byte 43"));
    CHECK(REFUSES("\x80\2" CLASS ")\x81.", "no line statistics"));            /* no state */
    CHECK(REFUSES("\x80\2" CLASS ")\x81}b}b.", "no line statistics"));        /* two */
    CHECK(REFUSES("\x80\2" CLASS ")\x81]b.", "no line statistics"));          /* a list */
    CHECK(REFUSES("\x80\2" CLASS ")\x81}" UNIT "sb.", "no line statistics")); /* half of it */
    CHECK(REFUSES(OBJECT("(c__builtin__\nobject\n)\x81"), "a misplaced NEWOBJ at byte 24"));
    CHECK(STATUS("ccopy_reg\n_reconstructor\n(" CLASS "Nt" /* not of two */
                 "R}b.") == FT_ERR_CORRUPT);
    CHECK(STATUS("ccopy_reg\n_reconstructor\n(" CLASS "c__builtin__\nobject\nNNtR}b.") ==
          FT_ERR_CORRUPT);
    CHECK(STATUS("ccopy_reg\n_reconstructor\n(" CLASS "c__builtin__\nobject\nK\1tR}b.") ==
          FT_ERR_CORRUPT);
}

static void test_numbers(void)
{
    CHECK(NUMBER("K\xff") == 255 && NUMBER("M\xff\xff") == 65535);
    CHECK(NUMBER("J\xff\xff\xff\xff") == -1 && NUMBER("J\xff\xff\xff\x7f") == INT32_MAX);
    CHECK(NUMBER("\x8a\0") == 0 && NUMBER("\x8a\1\x80") == -128 && NUMBER("\x8a\2\xff\0") == 255);
    CHECK(NUMBER("\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f") == INT64_MAX);
    CHECK(NUMBER("\x8a\10\0\0\0\0\0\0\0\x80") == INT64_MIN);
    CHECK(NUMBER("\x8b\5\0\0\0\0\0\0\0\1") == INT64_C(1) << 32);
    CHECK(NUMBER("I-12\n") == -12 && NUMBER("L34L\n") == 34 && NUMBER("L34\n") == 34);
    CHECK(REFUSES(WITH_NUMBER("\x8a\11\0\0\0\0\0\0\0\0\1"),
                  "a number of more than 64 bits at byte "));
    CHECK(STATUS(WITH_NUMBER("\x8b\xff\xff\xff\xff")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_NUMBER("L9223372036854775808L\n")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_NUMBER("I1L\n")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_NUMBER("F1.5\n")) == FT_ERR_CORRUPT); /* a count is no real number */
    CHECK(STATUS(WITH_NUMBER("N")) == FT_ERR_CORRUPT);
    CHECK(REFUSES(WITH_NUMBER("\x88"), "no line statistics"));
}

#define WITH_UNIT(unit)                                                                            \
    "\x80\4" CLASS ")\x81}(" TEXT("\7", "timings") "}" TEXT("\4", "unit") unit "ub."

static void test_units(void)
{
    CHECK(fabs(READ(WITH_UNIT("F0.015625\n")).unit - 0.015625) <= 0);
    CHECK(fabs(READ(WITH_UNIT("F1e-06\n")).unit - 1e-6) <= 0);
    CHECK(fabs(READ(WITH_UNIT("K\1")).unit - 1) <= 0);
    CHECK(isinf(READ(WITH_UNIT("G\x7f\xf0\0\0\0\0\0\0")).unit));
    CHECK(STATUS(WITH_UNIT("N")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_UNIT("F1,5\n")) == FT_ERR_CORRUPT);
}

static void test_texts(void)
{
    CHECK(NAMES("X\2\0\0\0ab", "ab") && NAMES("\x8d\2\0\0\0\0\0\0\0ab", "ab"));
    CHECK(NAMES("U\2ab", "ab") && NAMES("T\2\0\0\0ab", "ab") && NAMES("\x8c\0", ""));
    CHECK(NAMES("Vab\n", "ab") && NAMES("V\n", "") && NAMES("V\\u005cu\\\n", "\\u\\"));
    CHECK(NAMES("V\xfc\\u6f22\\U0001f40d\n", "\xc3\xbc\xe6\xbc\xa2\xf0\x9f\x90\x8d"));
    CHECK(NAMES("V\\udc80\n", "\xed\xb2\x80"));
    CHECK(STATUS(WITH_NAME("V\\u00\n")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_NAME("V\\u00zz\n")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_NAME("V\\U00110000\n")) == FT_ERR_CORRUPT);
    CHECK(REFUSES(WITH_NAME("B\1\0\0\0a"), "the opcode BINBYTES at byte "));
    CHECK(STATUS("\x80\4X\xff\xff\xff\xff"
                 "a") == FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                 "a") == FT_ERR_CORRUPT);
    CHECK(REFUSES("\x80\4Vab", "an early end at byte 5"));
}

static void test_containers(void)
{
    CHECK(IS_READ(FILE_OF(TIMINGS(KEY, "](" ROW "e"))));
    CHECK(IS_READ(FILE_OF(TIMINGS(KEY, "(" ROW "l"))));
    CHECK(IS_READ(FILE_OF("(" KEY "(" ROW "ld")));
    CHECK(IS_READ(FILE_OF(TIMINGS(KEY, "](e" ROW "a(e"))));
    CHECK(IS_READ(WITH_ROW("(K\10K\2K\5t")));
    CHECK(READ(FILE_OF(TIMINGS(KEY, "]" ROW "a(" ROW ROW "e" ROW "a"))).lines == 4);
    CHECK(READ(FILE_OF("}")).functions == 0 && READ(FILE_OF("}")).status == FT_OK);
    CHECK(STATUS(WITH_ROW("K\10K\2\x86")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_ROW("K\10\x85")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_ROW("(K\10K\2K\5K\5t")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_ROW("(K\10K\2K\5l")) == FT_ERR_CORRUPT);
    CHECK(STATUS(FILE_OF(TIMINGS(KEY, "(" ROW "t"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(FILE_OF("]")) == FT_ERR_CORRUPT);
    CHECK(REFUSES("\x80\4}(K\1u.", "a misplaced SETITEMS at byte 6"));
    CHECK(REFUSES("\x80\4(K\1d.", "a misplaced DICT at byte 5"));
    CHECK(REFUSES("\x80\4]K\1K\2s.", "a misplaced SETITEM at byte 7"));
    CHECK(REFUSES("\x80\4K\1a.", "a misplaced APPEND at byte 4"));
    CHECK(REFUSES("\x80\4e.", "a misplaced APPENDS at byte 2"));
    CHECK(REFUSES("\x80\4(e.", "a misplaced APPENDS at byte 3"));
    CHECK(REFUSES("\x80\4](K\1a.", "a misplaced APPEND at byte 6")); /* below the mark */
    CHECK(REFUSES("\x80\4K\1K\2\x87.", "a misplaced TUPLE3 at byte 6"));
}

static void test_the_memo(void)
{
    CHECK(READ(FILE_OF(TIMINGS(KEY, "]" ROW "\x94"
                                    "ah\0a")))
              .lines == 2);
    CHECK(READ(FILE_OF(TIMINGS(KEY, "]" ROW "q\5ah\5a"))).lines == 2);
    CHECK(READ(FILE_OF(TIMINGS(KEY, "]" ROW "r\5\0\0\0aj\5\0\0\0a"))).lines == 2);
    CHECK(READ(FILE_OF(TIMINGS(KEY, "]" ROW "p17\nag17\na"))).lines == 2);
    CHECK(REFUSES("\x80\4q\0.", "a misplaced BINPUT at byte 2"));
    CHECK(REFUSES("\x80\4h\0.", "a misplaced BINGET at byte 2"));
    CHECK(REFUSES("\x80\4Nq\2h\1.", "a misplaced BINGET at byte 5"));
    CHECK(REFUSES("\x80\4Nr\xff\xff\xff\xff.", "a misplaced LONG_BINPUT at byte 3"));
    CHECK(REFUSES("\x80\4Np-1\n.", "a damaged number at byte 4"));
    CHECK(REFUSES("\x80\4Nj\xff\xff\xff\xff.", "a misplaced LONG_BINGET at byte 3"));
}

/* What holds itself is met where something else is expected. */
static void test_cycles(void)
{
    CHECK(STATUS("\x80\4]\x94h\0a.") == FT_ERR_CORRUPT);
    CHECK(STATUS(FILE_OF(TIMINGS(KEY, "]\x94h\0a"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(FILE_OF("}\x94" KEY "h\0s")) == FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4" CLASS ")\x81\x94h\0b.") == FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4" CLASS ")\x81}\x94(" TEXT("\7", "timings") "h\0" UNIT "ub.") ==
          FT_ERR_CORRUPT);
}

static void test_attributes(void)
{
    CHECK(STATUS("\x80\4" CLASS ")\x81}(" UNIT TEXT("\7", "timings") "}ub.") == FT_OK);
    CHECK(STATUS("\x80\4" CLASS ")\x81}(" UNIT UNIT "ub.") == FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4" CLASS ")\x81}(" UNIT TEXT("\7", "timings") "}" TEXT("\1", "x") "Nub.") ==
          FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4" CLASS ")\x81}(" UNIT TEXT("\10", "timings\0") "}ub.") == FT_ERR_CORRUPT);
    CHECK(STATUS("\x80\4" CLASS ")\x81}(K\1K\1" UNIT "ub.") == FT_ERR_CORRUPT);
}

static void test_frames(void)
{
    CHECK(REFUSES("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "an early end at byte 12"));
    CHECK(STATUS("\x80\4\x95\2\0\0\0\0\0\0\0N.") == FT_ERR_CORRUPT); /* no statistics, but read */
    CHECK(REFUSES("\x80\4\x95\2\0", "an early end at byte 5"));
}

/* Each opcode that could run something, or that nobody needs. */
static void test_opcodes_that_are_refused(void)
{
    CHECK(REFUSES("\x80\4Q.", "the opcode BINPERSID at byte 2"));
    CHECK(REFUSES("\x80\4P1\n.", "the opcode PERSID at byte 2"));
    CHECK(REFUSES("\x80\4(ios\nsystem\n.", "the opcode INST at byte 3"));
    CHECK(REFUSES("\x80\4o.", "the opcode OBJ at byte 2"));
    CHECK(REFUSES("\x80\4\x82\1.", "the opcode EXT1 at byte 2"));
    CHECK(REFUSES("\x80\4\x92.", "the opcode NEWOBJ_EX at byte 2"));
    CHECK(REFUSES("\x80\4\x97.", "the opcode NEXT_BUFFER at byte 2"));
    CHECK(REFUSES("\x80\0040.", "the opcode POP at byte 2"));
    CHECK(REFUSES("\x80\4\xff.", "no opcode at byte 2"));
    CHECK(REFUSES("\x80\4(N.", "a misplaced STOP at byte 4"));
    CHECK(REFUSES("\x80\4.", "a misplaced STOP at byte 2"));
}

/* The first function's list of lines is every function's: much work from a small file. */
static ft_status read_shared(uint32_t functions)
{
    static const char start[] = "\x80\4" CLASS ")\x81}(" TEXT("\7", "timings") "}(";
    ft_buf file;
    ft_buf_init(&file, &ft_mem_system);
    ft_buf_put(&file, start, sizeof start - 1);
    ft_buf_put(&file, KEY "]\x94(", sizeof KEY "]\x94(" - 1);
    for (uint32_t i = 0; i < functions; i++)
        ft_buf_put(&file, ROW, sizeof ROW - 1);
    ft_buf_put(&file, "e", 1);
    for (uint32_t i = 1; i < functions; i++)
        ft_buf_put(&file, KEY "h\0", sizeof KEY "h\0" - 1);
    ft_buf_put(&file, "u" UNIT "ub.", sizeof "u" UNIT "ub." - 1);
    must(ft_buf_status(&file) == FT_OK);
    ft_status status = read_bytes(file.data, file.length).status;
    ft_buf_fini(&file);
    return status;
}

static void test_shared_lines_are_bounded(void)
{
    CHECK(read_shared(10) == FT_OK);
    CHECK(read_shared(10000) == FT_ERR_LIMIT);
}

static void test_deep_nesting(void)
{
    enum { DEEP = 1000000 };
    uint8_t *bytes = malloc(DEEP);
    must(bytes != NULL);
    memset(bytes, '(', DEEP);
    bytes[0] = 0x80, bytes[1] = 4;
    CHECK(read_bytes(bytes, DEEP).status == FT_ERR_CORRUPT);
    memset(bytes + 2, ']', DEEP / 2);
    memset(bytes + 2 + DEEP / 2, 'a', DEEP / 2 - 2); /* a list in a list in a list */
    bytes[DEEP - 1] = '.';
    CHECK(read_bytes(bytes, DEEP).status == FT_ERR_CORRUPT);
    memset(bytes + 2, 0x85, DEEP - 3);
    bytes[2] = 'N';
    CHECK(is_refused(read_bytes(bytes, DEEP), "no line statistics"));
    free(bytes);
}

int main(void)
{
    test_what_is_no_pickle();
    test_classes();
    test_objects();
    test_numbers();
    test_units();
    test_texts();
    test_containers();
    test_the_memo();
    test_cycles();
    test_attributes();
    test_frames();
    test_opcodes_that_are_refused();
    test_shared_lines_are_bounded();
    test_deep_nesting();
    return tap_end();
}
