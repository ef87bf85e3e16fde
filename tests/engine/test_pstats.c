/* SPDX-License-Identifier: Apache-2.0 */
/* test_pstats.c: what cProfile writes, byte by byte: each form of marshal by hand, what is refused,
 * what saturates, every allocation refused once, and summaries that are added. */
#include <math.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/file/pstats_reader.h"
#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

/* Pieces of a file. */
#define END "0"
#define NO_CALLERS "{" END
#define INT(low) "i" low "\0\0\0"
#define ZERO "g\0\0\0\0\0\0\0\0"
#define HALF "g\0\0\0\0\0\0\xe0\x3f"
#define KEY ")\3z\1a" INT("\7") "z\1f"
#define ROW ")\5" INT("\2") INT("\3") HALF HALF
#define ONE_FUNCTION(row) "{" KEY row NO_CALLERS END
#define WITH_LINE(line) "{)\3z\1a" line "z\1f" ROW NO_CALLERS END
#define WITH_TIME(time) "{" KEY ")\5" INT("\1") INT("\1") time ZERO NO_CALLERS END
#define WITH_COUNT(count) "{" KEY ")\5" INT("\1") count ZERO ZERO NO_CALLERS END
#define WITH_NAME(name) "{)\3z\1a" INT("\7") name ROW NO_CALLERS END

static ft_status read_bytes(const void *bytes, size_t length, ft_summary *summary)
{
    /* a block exactly as large: a sanitizer finds what reads behind it */
    uint8_t *copy = malloc(length + (length == 0));
    must(copy != NULL && ft_summary_init(summary, &ft_mem_system) == FT_OK);
    memcpy(copy, bytes, length);
    ft_status status = ft_pstats_reader_read(copy, length, summary);
    free(copy);
    must(status != FT_OK || ft_summary_check(summary) == FT_OK);
    return status;
}

static ft_status status_of(const void *bytes, size_t length)
{
    ft_summary summary;
    ft_status status = read_bytes(bytes, length, &summary);
    ft_summary_fini(&summary);
    return status;
}

#define STATUS(literal) status_of(literal, sizeof literal - 1)

/* The one function of the file. */
static ft_function_row only_row(const void *bytes, size_t length)
{
    ft_summary summary;
    must(read_bytes(bytes, length, &summary) == FT_OK && summary.function_count == 1);
    ft_function_row row = summary.functions[0];
    ft_summary_fini(&summary);
    return row;
}

#define ONLY(literal) only_row(literal, sizeof literal - 1)

static uint32_t only_line(const void *bytes, size_t length)
{
    ft_summary summary;
    must(read_bytes(bytes, length, &summary) == FT_OK && summary.function_count == 1);
    uint32_t line = summary.codes.codes[summary.functions[0].code].line;
    ft_summary_fini(&summary);
    return line;
}

#define LINE(literal) only_line(literal, sizeof literal - 1)

static bool name_is(const void *bytes, size_t length, const char *wanted)
{
    ft_summary summary;
    must(read_bytes(bytes, length, &summary) == FT_OK && summary.function_count == 1);
    uint32_t name = summary.codes.codes[summary.functions[0].code].name;
    ft_text text = ft_strtab_get(&summary.texts, name);
    bool is = text.length == strlen(wanted) && memcmp(text.data, wanted, text.length) == 0;
    ft_summary_fini(&summary);
    return is;
}

#define NAME_IS(literal, wanted) name_is(literal, sizeof literal - 1, wanted)

static void test_what_is_no_such_file(void)
{
    CHECK(STATUS("") == FT_ERR_EMPTY);
    CHECK(STATUS("{") == FT_ERR_FOREIGN);
    CHECK(STATUS("{\"a\": 1}") == FT_ERR_FOREIGN);
    CHECK(STATUS("{i\1\0\0\0N0") == FT_ERR_FOREIGN);
    CHECK(STATUS("(\0\0\0\0") == FT_ERR_FOREIGN);
    CHECK(STATUS("{0") == FT_OK);
    CHECK(STATUS("\xfb" END) == FT_OK);
    CHECK(STATUS("{00") == FT_ERR_CORRUPT);
}

static void test_rows(void)
{
    ft_function_row row = ONLY(ONE_FUNCTION(ROW));
    CHECK(row.primitive == 2 && row.calls == 3);
    CHECK(row.own == 500000000 && row.cumulative == 500000000 && row.own_waiting == 0);
    CHECK(STATUS(ONE_FUNCTION(")\4" INT("\2") INT("\3") HALF)) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY "N" END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY ROW "N" END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\2z\1az\1f" ROW NO_CALLERS END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY ROW "[\0\0\0\0" END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\1z\13__sampled__T0") == FT_OK);
    CHECK(STATUS("{)\1z\13__sampled__N0") == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\1z\13__sampler__T0") == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\0T0") == FT_ERR_CORRUPT);
}

static void test_texts(void)
{
    CHECK(NAME_IS(WITH_NAME("z\1g"), "g") && NAME_IS(WITH_NAME("Z\1g"), "g"));
    CHECK(NAME_IS(WITH_NAME("u\2\0\0\0gg"), "gg") && NAME_IS(WITH_NAME("t\1\0\0\0g"), "g"));
    CHECK(NAME_IS(WITH_NAME("a\1\0\0\0g"), "g") && NAME_IS(WITH_NAME("A\1\0\0\0g"), "g"));
    CHECK(NAME_IS(WITH_NAME("z\0"), ""));
    CHECK(STATUS(WITH_NAME("s\1\0\0\0g")) == FT_ERR_CORRUPT); /* bytes */
    CHECK(STATUS(WITH_NAME("N")) == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\3u\xff\xff\xff\xff") == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\3u\xff\xff\xff\x7f"
                 "a") == FT_ERR_CORRUPT);
    CHECK(STATUS("{)\3z\2a") == FT_ERR_CORRUPT);
}

static void test_lines(void)
{
    CHECK(LINE(WITH_LINE(INT("\7"))) == 7);
    CHECK(LINE(WITH_LINE("N")) == 0);
    CHECK(LINE(WITH_LINE("i\xff\xff\xff\xff")) == 0); /* -1 */
    CHECK(LINE(WITH_LINE("i\xff\xff\xff\x7f")) == INT32_MAX);
    CHECK(LINE(WITH_LINE("l\3\0\0\0\0\0\0\0\1\0")) == UINT32_C(1) << 30);
    CHECK(LINE(WITH_LINE("l\4\0\0\0\0\0\0\0\0\0\1\0")) == UINT32_MAX); /* 2^45 */
    CHECK(STATUS(WITH_LINE("T")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_LINE(HALF)) == FT_ERR_CORRUPT);
}

static void test_counts(void)
{
    CHECK(ONLY(WITH_COUNT(INT("\5"))).calls == 5);
    CHECK(ONLY(WITH_COUNT("i\xff\xff\xff\xff")).calls == 0); /* -1: not known */
    CHECK(ONLY(WITH_COUNT("i\0\0\0\x80")).calls == 0);
    CHECK(ONLY(WITH_COUNT("l\0\0\0\0")).calls == 0);
    CHECK(ONLY(WITH_COUNT("l\2\0\0\0\2\0\1\0")).calls == 32770);
    CHECK(ONLY(WITH_COUNT("l\xfe\xff\xff\xff\2\0\1\0")).calls == 0); /* -32770 */
    CHECK(ONLY(WITH_COUNT("l\5\0\0\0\xff\x7f\xff\x7f\xff\x7f\xff\x7f\xf\0")).calls == UINT64_MAX);
    CHECK(ONLY(WITH_COUNT("l\5\0\0\0\xfe\x7f\xff\x7f\xff\x7f\xff\x7f\xf\0")).calls ==
          UINT64_MAX - 1);
    CHECK(ONLY(WITH_COUNT("l\5\0\0\0\0\0\0\0\0\0\0\0\x10\0")).calls == UINT64_MAX); /* 2^64 */
    CHECK(STATUS(WITH_COUNT("l\1\0\0\0\0\0")) == FT_ERR_CORRUPT);         /* a leading zero */
    CHECK(STATUS(WITH_COUNT("l\1\0\0\0\0\x80")) == FT_ERR_CORRUPT);       /* 16 bits */
    CHECK(STATUS(WITH_COUNT("l\xff\xff\xff\x7f\1\0")) == FT_ERR_CORRUPT); /* 2^31 digits */
    CHECK(STATUS(WITH_COUNT("l\0\0\0\x80\1\0")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_COUNT(HALF)) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_COUNT("N")) == FT_ERR_CORRUPT);
}

static void test_times(void)
{
    CHECK(ONLY(WITH_TIME(HALF)).own == 500000000);
    CHECK(ONLY(WITH_TIME(INT("\3"))).own == UINT64_C(3000000000));
    CHECK(ONLY(WITH_TIME("i\xff\xff\xff\xff")).own == 0);
    CHECK(ONLY(WITH_TIME("g\0\0\0\0\0\0\xe0\xbf")).own == 0);          /* -0.5 */
    CHECK(ONLY(WITH_TIME("g\0\0\0\0\0\0\xf0\x7f")).own == UINT64_MAX); /* infinite */
    CHECK(ONLY(WITH_TIME("g\0\0\0\0\0\0\xf0\xff")).own == 0);
    CHECK(STATUS(WITH_TIME("g\0\0\0\0\0\0\xf8\x7f")) == FT_ERR_CORRUPT); /* no number */
    CHECK(STATUS(WITH_TIME("z\1"
                           "1")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME("N")) == FT_ERR_CORRUPT);
}

#define DECIMAL(length, digits) "f" length digits

static void test_decimals(void)
{
    CHECK(ONLY(WITH_TIME(DECIMAL("\1", "2"))).own == UINT64_C(2000000000));
    CHECK(ONLY(WITH_TIME(DECIMAL("\3", "0.5"))).own == 500000000);
    CHECK(ONLY(WITH_TIME(DECIMAL("\4", "-0.5"))).own == 0);
    CHECK(ONLY(WITH_TIME(DECIMAL("\23", "0.10000000000000001"))).own == 100000000);
    CHECK(ONLY(WITH_TIME(DECIMAL("\26", "1.2344999999999999e-05"))).own == 12345);
    CHECK(ONLY(WITH_TIME(DECIMAL("\6", "1e+300"))).own == UINT64_MAX);
    CHECK(ONLY(WITH_TIME(DECIMAL("\12", "1e99999999"))).own == UINT64_MAX);
    CHECK(ONLY(WITH_TIME(DECIMAL("\6", "1e-300"))).own == 0);
    CHECK(ONLY(WITH_TIME(DECIMAL("\36", "000000000000000000000000000002"))).own ==
          UINT64_C(2000000000));
    CHECK(ONLY(WITH_TIME(DECIMAL("\32", "1000000000000000000000e-21"))).own == 1000000000);
    CHECK(ONLY(WITH_TIME(DECIMAL("\3", "inf"))).own == UINT64_MAX);
    CHECK(ONLY(WITH_TIME(DECIMAL("\4", "-inf"))).own == 0);
}

static void test_what_is_no_decimal(void)
{
    CHECK(STATUS(WITH_TIME(DECIMAL("\3", "nan"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME("f\0")) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME(DECIMAL("\1", "."))) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME(DECIMAL("\2", "1e"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME(DECIMAL("\3", "1e-"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME(DECIMAL("\3", "1,5"))) == FT_ERR_CORRUPT);
    CHECK(STATUS(WITH_TIME(DECIMAL("\5", "1.5.5"))) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY ")\5" INT("\1") INT("\1") DECIMAL("\377", "1")) == FT_ERR_CORRUPT);
}

#define FLAGGED_KEY "\xa9\3z\1a" INT("\7") "z\1f"
#define REF(low) "r" low "\0\0\0"

static void test_references(void)
{
    ft_summary summary;
    static const char whole[] =
        "{" FLAGGED_KEY ROW "{" REF("\0") ")\4" INT("\1") INT("\1") ZERO HALF END END;
    REQUIRE(read_bytes(whole, sizeof whole - 1, &summary) == FT_OK);
    CHECK(summary.function_count == 1 && summary.edge_count == 1);
    CHECK(summary.edges[0].caller == summary.edges[0].callee);
    CHECK(summary.edges[0].calls == 1 && summary.edges[0].cumulative == 500000000);
    ft_summary_fini(&summary);
    CHECK(STATUS("\xfb"
                 "\xa9\3" REF("\0")) == FT_ERR_CORRUPT); /* into itself */
    CHECK(STATUS("\xfb"
                 "\xa9\3" REF("\1")) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY REF("\0")) == FT_ERR_CORRUPT); /* nothing has a number */
    CHECK(STATUS("\xfb" KEY ROW REF("\0") END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" KEY "\xa9\5" INT("\2") INT("\3") HALF HALF REF("\0") END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" FLAGGED_KEY ROW "{" REF("\0") REF("\0") END END) == FT_ERR_CORRUPT);
    CHECK(STATUS("{" FLAGGED_KEY ROW "{" REF("\1")) == FT_ERR_CORRUPT);
}

/* Each function has the first one's dictionary of callers: quadratic work from a small file. */
static ft_status read_shared(uint32_t functions)
{
    ft_buf file;
    ft_buf_init(&file, &ft_mem_system);
    ft_buf_put(&file, "{", 1);
    for (uint32_t i = 0; i < functions; i++) {
        ft_buf_put(&file, ")\3z\1bi", 6);
        ft_buf_put_u32(&file, i);
        ft_buf_put(&file, "z\1g" ROW, sizeof "z\1g" ROW - 1);
        if (i > 0) {
            ft_buf_put(&file, REF("\0"), 5);
            continue;
        }
        ft_buf_put(&file, "\xfb", 1);
        for (uint32_t caller = 0; caller < functions; caller++) {
            ft_buf_put(&file, ")\3z\1ai", 6);
            ft_buf_put_u32(&file, caller);
            ft_buf_put(&file, "z\1f" INT("\1"), 8);
        }
        ft_buf_put(&file, "0", 1);
    }
    ft_buf_put(&file, "0", 1);
    must(ft_buf_status(&file) == FT_OK);
    ft_status status = status_of(file.data, file.length);
    ft_buf_fini(&file);
    return status;
}

static void test_shared_callers_are_bounded(void)
{
    CHECK(read_shared(100) == FT_OK);
    CHECK(read_shared(5000) == FT_ERR_LIMIT);
}

static void test_a_caller_without_a_row_gets_one_of_zeros(void)
{
    ft_summary summary;
    static const char whole[] = "{" KEY ROW "{)\3z\1~" INT("\0") "z\1x" INT("\4") END END;
    REQUIRE(read_bytes(whole, sizeof whole - 1, &summary) == FT_OK);
    CHECK(summary.function_count == 2 && summary.edge_count == 1 && summary.untimed);
    CHECK(summary.edges[0].calls == 4 && summary.edges[0].primitive == 4);
    uint32_t caller = summary.edges[0].caller;
    CHECK(summary.codes.codes[caller].kind == FT_CODE_C);
    for (uint32_t i = 0; i < summary.function_count; i++)
        if (summary.functions[i].code == caller)
            CHECK(summary.functions[i].calls == 0 && summary.functions[i].cumulative == 0);
    ft_totals totals = ft_summary_totals(&summary);
    CHECK(totals.calls == 3 && totals.primitive == 2 && totals.own == 500000000);
    ft_summary_fini(&summary);
}

/* A file with shared keys, which a random profile's export is. */
static ft_buf exported(void)
{
    ft_profile profile;
    ft_buf out;
    make_full_profile(&profile, 200);
    ft_buf_init(&out, &ft_mem_system);
    must(ft_exporter_find("pstats")->write(&profile, &out) == FT_OK);
    ft_profile_fini(&profile);
    return out;
}

static void test_cut_anywhere(void)
{
    ft_buf file = exported();
    bool refused = true;
    CHECK(status_of(file.data, file.length) == FT_OK);
    for (size_t length = 2; length < file.length; length++)
        refused = refused && status_of(file.data, length) == FT_ERR_CORRUPT;
    CHECK(refused);
    ft_buf_fini(&file);
}

static ft_status read_and_merge(const ft_mem *mem)
{
    ft_buf file = exported();
    ft_summary one, two;
    ft_status status = ft_summary_init(&one, mem);
    if (status != FT_OK)
        goto end_file;
    status = ft_summary_init(&two, mem);
    if (status != FT_OK)
        goto end_one;
    status = ft_pstats_reader_read(file.data, file.length, &one);
    if (status == FT_OK)
        status = ft_pstats_reader_read(file.data, file.length, &two);
    if (status != FT_OK)
        goto end;
    uint64_t calls = ft_summary_totals(&one).calls;
    status = ft_summary_merge(&one, &two);
    must(ft_summary_check(&one) == FT_OK); /* after a failure too */
    must(status == FT_OK || ft_summary_totals(&one).calls == calls);
end:
    ft_summary_fini(&two);
end_one:
    ft_summary_fini(&one);
end_file:
    ft_buf_fini(&file);
    return status;
}

int main(void)
{
    test_what_is_no_such_file();
    test_rows();
    test_texts();
    test_lines();
    test_counts();
    test_times();
    test_decimals();
    test_what_is_no_decimal();
    test_references();
    test_shared_callers_are_bounded();
    test_a_caller_without_a_row_gets_one_of_zeros();
    test_cut_anywhere();
    CHECK(sweep(read_and_merge));
    return tap_end();
}
