/* SPDX-License-Identifier: Apache-2.0 */
/* test_codec.c: tokens that are written are read, pieces lie where they should, and nothing that a
 * byte could be changed to is believed. */
#include "engine/store/codec.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static const int64_t ints[] = {0, 1, 63, 64, -1, -64, 300, INT64_MAX, INT64_MIN};
enum { INTS = sizeof ints / sizeof ints[0], PIECE = 5000 };

static void put_whens(ft_buf *out)
{
    const ft_codec_when when = {2024, 2, 29, 23, 59, 58, 999999, true, true};
    const ft_codec_when gap = {.day = -999999999, .second = 86399, .microsecond = 7};
    ft_codec_put_when(out, FT_CODEC_DATE, &when);
    ft_codec_put_when(out, FT_CODEC_TIME, &when);
    ft_codec_put_when(out, FT_CODEC_DATETIME, &when);
    ft_codec_put_when(out, FT_CODEC_TIMEDELTA, &gap);
}

/* A list of one of everything: 24 values. */
static void put_all(ft_buf *out)
{
    static const int64_t shape[] = {2, 3};
    ft_codec_put_count(out, FT_CODEC_LIST, INTS + 15);
    for (size_t i = 0; i < INTS; i++)
        ft_codec_put_int(out, ints[i]);
    ft_codec_put(out, FT_CODEC_NONE);
    ft_codec_put_float(out, -0.0);
    ft_codec_put_complex(out, 1.5, -2.5);
    ft_codec_put_bytes(out, FT_CODEC_STR, "short", 5);
    ft_codec_put_bytes(out, FT_CODEC_STR, "a text that is longer than 32 bytes", 35);
    ft_codec_put_piece(out, FT_CODEC_BYTES);
    put_whens(out);
    ft_codec_put_count(out, FT_CODEC_TUPLE, 0);
    ft_codec_put_count(out, FT_CODEC_DICT, 1);
    ft_codec_put_bytes(out, FT_CODEC_KEY, "key", 3);
    ft_codec_put_count(out, FT_CODEC_KEY_AGAIN, 0);
    ft_codec_put(out, FT_CODEC_RANGE);
    for (int i = 0; i < 3; i++)
        ft_codec_put_int(out, i);
    ft_codec_put_array(out, true, shape, 2, "123456", 6);
    ft_codec_put_bytes(out, FT_CODEC_STR, "|u1", 3);
    ft_codec_put_array(out, false, shape, 2, NULL, 0);
    ft_codec_put_bytes(out, FT_CODEC_STR, "|V1", 3);
}

/* All of them, with two pieces. */
static ft_status build(ft_buf *out, const ft_mem *mem)
{
    static const size_t lengths[] = {PIECE, 6};
    ft_buf tokens;
    ft_buf_init(&tokens, mem);
    put_all(&tokens);
    if (ft_buf_status(&tokens) == FT_OK)
        ft_codec_put_table(out, false, tokens.data, tokens.length, lengths, 2);
    for (size_t i = 0; i < 2 && ft_buf_status(&tokens) == FT_OK; i++) {
        size_t gap = ft_codec_gap(out->length);
        for (size_t j = 0; j < gap + lengths[i]; j++)
            ft_buf_put_byte(out, j < gap ? 0 : (uint8_t)('a' + i));
    }
    ft_status status = ft_buf_status(&tokens);
    ft_buf_fini(&tokens);
    return status == FT_OK ? ft_buf_status(out) : status;
}

static ft_codec_token next(ft_codec_reader *reader)
{
    ft_codec_token token;
    memset(&token, 0, sizeof token);
    REQUIRE(ft_codec_next(reader, &token) == FT_OK);
    return token;
}

static void check_moments(ft_codec_reader *reader)
{
    ft_codec_token token = next(reader);
    CHECK(token.kind == FT_CODEC_DATE && token.when.year == 2024 && token.when.day == 29);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_TIME && token.when.hour == 23 && token.when.utc);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_DATETIME && token.when.month == 2 && token.when.fold);
    CHECK(token.when.microsecond == 999999 && token.when.second == 58 && token.when.minute == 59);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_TIMEDELTA && token.when.day == -999999999);
    CHECK(token.when.second == 86399 && token.when.microsecond == 7);
}

static void check_rest(ft_codec_reader *reader)
{
    int64_t shape[FT_CODEC_DIMS];
    ft_codec_token token = next(reader);
    CHECK(token.kind == FT_CODEC_TUPLE && token.count == 0);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_DICT && token.count == 1);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_KEY && token.length == 3);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_KEY_AGAIN && token.count == 0);
    CHECK(next(reader).kind == FT_CODEC_RANGE);
    for (int i = 0; i < 3; i++)
        CHECK(next(reader).number == i);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_ARRAY && token.fortran && memcmp(token.bytes, "123456", 6) == 0);
    REQUIRE(token.count == 2 && ft_codec_shape(&token, shape) == FT_OK);
    CHECK(shape[0] == 2 && shape[1] == 3 && !token.in_piece);
    CHECK(next(reader).kind == FT_CODEC_STR);
    token = next(reader);
    CHECK(token.kind == FT_CODEC_ARRAY && !token.fortran && token.in_piece && token.length == 6);
    CHECK(token.bytes[0] == 'b' && (size_t)(token.bytes - reader->start) % FT_CODEC_ALIGN == 0);
    CHECK(ft_codec_close(reader) == FT_ERR_CORRUPT); /* its dtype is owed */
    CHECK(next(reader).kind == FT_CODEC_STR);
    CHECK(ft_codec_close(reader) == FT_OK);
}

static void everything_is_read_as_it_was_written(void)
{
    ft_buf out;
    ft_codec_reader reader;
    ft_buf_init(&out, &ft_mem_system);
    REQUIRE(build(&out, &ft_mem_system) == FT_OK);
    REQUIRE(ft_codec_open(&reader, out.data, out.length) == FT_OK);
    CHECK(next(&reader).count == INTS + 15);
    for (size_t i = 0; i < INTS; i++)
        CHECK(next(&reader).number == ints[i]);
    CHECK(next(&reader).kind == FT_CODEC_NONE);
    ft_codec_token token = next(&reader);
    CHECK(token.real == 0 && 1 / token.real < 0);
    token = next(&reader);
    CHECK(token.real == 1.5 && token.imaginary == -2.5);
    token = next(&reader);
    CHECK(token.kind == FT_CODEC_STR && token.length == 5 && memcmp(token.bytes, "short", 5) == 0);
    CHECK(next(&reader).length == 35);
    token = next(&reader);
    CHECK(token.kind == FT_CODEC_BYTES && token.in_piece && token.length == PIECE);
    CHECK(token.bytes[0] == 'a' && token.bytes[PIECE - 1] == 'a');
    CHECK((size_t)(token.bytes - reader.start) % FT_CODEC_ALIGN == 0);
    check_moments(&reader);
    check_rest(&reader);
    CHECK(ft_codec_check(out.data, out.length) == FT_OK);
    ft_buf_fini(&out);
}

/* A block of exactly these bytes, so that a sanitizer sees what is read behind them. */
static ft_status check_exact(const uint8_t *bytes, size_t length)
{
    uint8_t *exact = malloc(length + (length == 0));
    REQUIRE(exact != NULL);
    memcpy(exact, bytes, length);
    ft_status status = ft_codec_check(exact, length);
    free(exact);
    return status;
}

static void damage_is_refused_or_harmless(void)
{
    ft_buf out;
    int refused = 0, believed = 0, odd = 0;
    ft_buf_init(&out, &ft_mem_system);
    REQUIRE(build(&out, &ft_mem_system) == FT_OK);
    for (size_t cut = 0; cut < out.length; cut++)
        believed += check_exact(out.data, cut) == FT_OK;
    CHECK(believed == 0);
    for (size_t at = 0; at < 300; at++) {
        uint8_t kept = out.data[at];
        for (unsigned byte = 0; byte < 256; byte++) {
            out.data[at] = (uint8_t)byte;
            ft_status status = check_exact(out.data, out.length);
            refused += status == FT_ERR_CORRUPT;
            odd += at == 0 ? status != (byte == kept ? FT_OK : FT_ERR_NEWER)
                           : status != FT_OK && status != FT_ERR_CORRUPT;
        }
        out.data[at] = kept;
    }
    CHECK(odd == 0);
    CHECK(refused > 1000);
    ft_buf_fini(&out);
}

/* What containers promise together is never more than what is left. */
static void promises_are_bounded(void)
{
    enum { LENGTH = 200 };
    random_source source = {7};
    int over = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[LENGTH] = {FT_CODEC_VERSION, 0};
        for (size_t i = 2; i < LENGTH; i++)
            bytes[i] = random_below(&source, 2) != 0
                           ? (uint8_t)(0x70 + FT_CODEC_TUPLE + random_below(&source, 5))
                           : (uint8_t)random_below(&source, 256);
        ft_codec_reader reader;
        ft_codec_token token;
        ft_status status = ft_codec_open(&reader, bytes, LENGTH);
        while (status == FT_OK && reader.owed > 0) {
            status = ft_codec_next(&reader, &token);
            over += status == FT_OK && reader.owed > (size_t)(reader.end - reader.at);
        }
    }
    CHECK(over == 0);
}

static void pickles_are_told(void)
{
    ft_buf out;
    ft_codec_reader reader;
    ft_codec_token token;
    ft_buf_init(&out, &ft_mem_system);
    ft_codec_put_head(&out, true);
    ft_codec_put_pickle(&out, "N.", 2, 0);
    CHECK(ft_codec_is_pickled(out.data, out.length));
    CHECK(ft_codec_check(out.data, out.length) == FT_OK);
    out.data[1] = 0; /* the head does not say so: it is refused */
    CHECK(!ft_codec_is_pickled(out.data, out.length));
    CHECK(ft_codec_check(out.data, out.length) == FT_ERR_CORRUPT);
    ft_buf_clear(&out);
    ft_codec_put_head(&out, true);
    ft_codec_put_int(&out, 5);
    REQUIRE(ft_codec_open(&reader, out.data, out.length) == FT_OK);
    CHECK(ft_codec_next(&reader, &token) == FT_ERR_CORRUPT);
    ft_buf_fini(&out);
}

static ft_status build_and_check(const ft_mem *mem)
{
    ft_buf out;
    ft_buf_init(&out, mem);
    ft_status status = build(&out, mem);
    if (status == FT_OK)
        status = ft_codec_check(out.data, out.length);
    ft_buf_fini(&out);
    return status;
}

int main(void)
{
    everything_is_read_as_it_was_written();
    damage_is_refused_or_harmless();
    promises_are_bounded();
    pickles_are_told();
    CHECK(sweep(build_and_check));
    return tap_end();
}
