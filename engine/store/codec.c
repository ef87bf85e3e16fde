/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c: the tokens of codec.h in bytes. The commonest are one byte with their number or length
 * in it: ints below 64, strings below 32 bytes, tuples below 16 values. What the others are called
 * is written into files: none is ever used for something else. */
#include "engine/store/codec.h"

#include <assert.h>
#include <string.h>

#include "engine/base/varint.h"

enum {
    TAG_INT = 0x00,   /* and 63 more */
    TAG_STR = 0x40,   /* and 31 more */
    TAG_TUPLE = 0x60, /* and 15 more */
    TAG_NAMED = 0x70, /* plus a kind */
    TAG_PIECE = 0xb0, /* plus a kind whose bytes are the next piece */
    TAG_END = 0xf0,   /* none from here on */
    SHORT_INTS = TAG_STR - TAG_INT,
    SHORT_STRS = TAG_TUPLE - TAG_STR,
    SHORT_TUPLES = TAG_NAMED - TAG_TUPLE,
    ARRAY_FORTRAN = 1, /* a bit of an array's byte; the others are 0 */
    WHEN_FOLD = 1,     /* likewise of a time's */
    WHEN_UTC = 2,
    DAYS_MOST = 999999999, /* in a difference, and as many back */
    SECONDS = 86400,       /* of a day */
    MICROSECONDS = 1000000
};

/* ---- reading ---- */

static size_t left(const ft_codec_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static ft_status get_number(ft_codec_reader *reader, uint64_t *number)
{
    const uint8_t *next = left(reader) >= FT_VARINT_MAX
                              ? ft_varint_get(reader->at, number)
                              : ft_varint_get_within(reader->at, reader->end, number);
    if (next == NULL)
        return FT_ERR_CORRUPT;
    reader->at = next;
    return FT_OK;
}

static ft_status get_fixed(ft_codec_reader *reader, uint64_t length, const uint8_t **bytes)
{
    if (length > left(reader))
        return FT_ERR_CORRUPT;
    *bytes = reader->at;
    reader->at += length;
    return FT_OK;
}

static int64_t unfolded(uint64_t folded)
{
    return (int64_t)(folded >> 1 ^ (0 - (folded & 1)));
}

static uint64_t folded(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static double real_of(const uint8_t *bytes)
{
    uint64_t bits = 0;
    double real;
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    memcpy(&real, &bits, sizeof real);
    return real;
}

/* The pieces' lengths must fill the encoding behind the tokens exactly. */
static ft_status open_pieces(ft_codec_reader *reader)
{
    uint64_t tokens = 0;
    if (get_number(reader, &tokens) != FT_OK || get_number(reader, &reader->pieces) != FT_OK ||
        reader->pieces == 0 || reader->pieces > left(reader))
        return FT_ERR_CORRUPT;
    reader->lengths = reader->at;
    uint64_t length = 0;
    for (uint64_t i = 0; i < reader->pieces; i++)
        if (get_number(reader, &length) != FT_OK)
            return FT_ERR_CORRUPT;
    reader->lengths_end = reader->at;
    if (tokens == 0 || tokens > left(reader))
        return FT_ERR_CORRUPT;
    reader->end = reader->at + tokens;
    reader->taken = (size_t)(reader->end - reader->start);
    size_t end = reader->taken;
    const uint8_t *at = reader->lengths;
    for (uint64_t i = 0; i < reader->pieces; i++) {
        at = ft_varint_get_within(at, reader->lengths_end, &length);
        size_t gap = ft_codec_gap(end);
        if (gap > reader->length - end || length > reader->length - end - gap)
            return FT_ERR_CORRUPT;
        end += gap + (size_t)length;
    }
    return end == reader->length ? FT_OK : FT_ERR_CORRUPT;
}

ft_status ft_codec_open(ft_codec_reader *reader, const uint8_t *bytes, size_t length)
{
    if (length <= FT_CODEC_PLAIN_HEAD)
        return FT_ERR_CORRUPT;
    if (bytes[0] != FT_CODEC_VERSION)
        return FT_ERR_NEWER;
    if ((bytes[1] & ~(FT_CODEC_PICKLED | FT_CODEC_PIECES)) != 0)
        return FT_ERR_CORRUPT;
    reader->at = bytes + FT_CODEC_PLAIN_HEAD;
    reader->end = bytes + length;
    reader->owed = 1;
    reader->pickled = (bytes[1] & FT_CODEC_PICKLED) != 0;
    reader->keys = 0;
    reader->pieces = 0;
    reader->start = bytes;
    reader->taken = reader->length = length;
    return (bytes[1] & FT_CODEC_PIECES) != 0 ? open_pieces(reader) : FT_OK;
}

ft_status ft_codec_take(ft_codec_reader *reader, const uint8_t **bytes, size_t *length)
{
    uint64_t size = 0;
    if (reader->pieces == 0)
        return FT_ERR_CORRUPT;
    reader->pieces--;
    reader->lengths = ft_varint_get_within(reader->lengths, reader->lengths_end, &size);
    assert(reader->lengths != NULL); /* open_pieces read it, and saw that it fits */
    size_t begin = reader->taken + ft_codec_gap(reader->taken);
    assert(begin <= reader->length && size <= reader->length - begin);
    *bytes = reader->start + begin;
    *length = (size_t)size;
    reader->taken = begin + (size_t)size;
    return FT_OK;
}

/* count values more are owed. */
static ft_status promise(ft_codec_reader *reader, uint64_t count)
{
    size_t most = left(reader);
    if (reader->owed > most || count > most - reader->owed)
        return FT_ERR_CORRUPT;
    reader->owed += (size_t)count;
    return FT_OK;
}

static ft_status get_content(ft_codec_reader *reader, bool in_piece, ft_codec_token *token)
{
    token->in_piece = in_piece;
    if (in_piece)
        return ft_codec_take(reader, &token->bytes, &token->length);
    uint64_t length = 0;
    ft_status status = get_number(reader, &length);
    if (status == FT_OK)
        status = get_fixed(reader, length, &token->bytes);
    token->length = (size_t)length;
    return status;
}

static ft_status get_array(ft_codec_reader *reader, bool in_piece, ft_codec_token *token)
{
    const uint8_t *byte;
    uint64_t dimension;
    if (get_fixed(reader, 1, &byte) != FT_OK || (*byte & ~ARRAY_FORTRAN) != 0 ||
        get_number(reader, &token->count) != FT_OK || token->count > FT_CODEC_DIMS)
        return FT_ERR_CORRUPT;
    token->fortran = (*byte & ARRAY_FORTRAN) != 0;
    token->shape = reader->at;
    for (uint64_t i = 0; i < token->count; i++)
        if (get_number(reader, &dimension) != FT_OK || dimension > INT64_MAX)
            return FT_ERR_CORRUPT;
    ft_status status = get_content(reader, in_piece, token);
    return status == FT_OK ? promise(reader, 1) : status;
}

ft_status ft_codec_shape(const ft_codec_token *token, int64_t shape[FT_CODEC_DIMS])
{
    const uint8_t *at = token->shape;
    assert(token->kind == FT_CODEC_ARRAY && token->count <= FT_CODEC_DIMS);
    for (uint64_t i = 0; i < token->count; i++) {
        uint64_t dimension = 0;
        at = ft_varint_get_within(at, at + FT_VARINT_MAX, &dimension); /* get_array read it */
        if (at == NULL || dimension > INT64_MAX)
            return FT_ERR_CORRUPT;
        shape[i] = (int64_t)dimension;
    }
    return FT_OK;
}

static void get_day(const uint8_t *bytes, ft_codec_when *when)
{
    when->year = bytes[0] | bytes[1] << 8;
    when->month = bytes[2];
    when->day = bytes[3];
}

static ft_status get_time(const uint8_t *bytes, ft_codec_when *when)
{
    when->hour = bytes[0];
    when->minute = bytes[1];
    when->second = bytes[2];
    when->microsecond = bytes[3] | bytes[4] << 8 | bytes[5] << 16;
    when->fold = (bytes[6] & WHEN_FOLD) != 0;
    when->utc = (bytes[6] & WHEN_UTC) != 0;
    return (bytes[6] & ~(WHEN_FOLD | WHEN_UTC)) == 0 ? FT_OK : FT_ERR_CORRUPT;
}

static ft_status get_when(ft_codec_reader *reader, ft_codec_token *token)
{
    const uint8_t *bytes;
    size_t day = token->kind == FT_CODEC_TIME ? 0 : 4;
    size_t time = token->kind == FT_CODEC_DATE ? 0 : 7;
    ft_status status = get_fixed(reader, day + time, &bytes);
    if (status == FT_OK && day > 0)
        get_day(bytes, &token->when);
    if (status == FT_OK && time > 0)
        status = get_time(bytes + day, &token->when);
    return status;
}

static ft_status get_difference(ft_codec_reader *reader, ft_codec_when *when)
{
    uint64_t days = 0, second = 0, microsecond = 0;
    if (get_number(reader, &days) != FT_OK || get_number(reader, &second) != FT_OK ||
        get_number(reader, &microsecond) != FT_OK || days > 2 * (uint64_t)DAYS_MOST ||
        second >= SECONDS || microsecond >= MICROSECONDS)
        return FT_ERR_CORRUPT;
    when->day = (int32_t)unfolded(days);
    when->second = (int32_t)second;
    when->microsecond = (int32_t)microsecond;
    return FT_OK;
}

static ft_status get_reals(ft_codec_reader *reader, ft_codec_token *token)
{
    const uint8_t *bytes;
    bool two = token->kind == FT_CODEC_COMPLEX;
    ft_status status = get_fixed(reader, two ? 16 : 8, &bytes);
    if (status != FT_OK)
        return status;
    token->real = real_of(bytes);
    token->imaginary = two ? real_of(bytes + 8) : 0;
    return FT_OK;
}

static ft_status get_container(ft_codec_reader *reader, ft_codec_token *token)
{
    uint64_t each = token->kind == FT_CODEC_DICT ? 2 : 1;
    if (get_number(reader, &token->count) != FT_OK || token->count > left(reader) / each)
        return FT_ERR_CORRUPT;
    return promise(reader, token->count * each);
}

static ft_status get_pickle(ft_codec_reader *reader, bool in_piece, ft_codec_token *token)
{
    if (!reader->pickled) /* then it is the first token, and nothing is owed behind it */
        return FT_ERR_CORRUPT;
    ft_status status = get_content(reader, in_piece, token);
    if (status == FT_OK)
        status = get_number(reader, &token->count);
    return status == FT_OK && token->count != reader->pieces ? FT_ERR_CORRUPT : status;
}

static ft_status get_key(ft_codec_reader *reader, ft_codec_token *token)
{
    if (token->kind == FT_CODEC_KEY) {
        if (reader->keys == FT_CODEC_KEYS)
            return FT_ERR_CORRUPT;
        reader->keys++;
        return get_content(reader, false, token);
    }
    ft_status status = get_number(reader, &token->count);
    return status == FT_OK && token->count >= reader->keys ? FT_ERR_CORRUPT : status;
}

/* Long because it names each kind once. */
static ft_status get_named(ft_codec_reader *reader, bool in_piece, ft_codec_token *token)
{
    uint64_t number = 0;
    ft_status status;
    switch (token->kind) {
    case FT_CODEC_NONE:
    case FT_CODEC_FALSE:
    case FT_CODEC_TRUE:
    case FT_CODEC_ELLIPSIS:
    case FT_CODEC_UTC:
        return FT_OK;
    case FT_CODEC_INT:
        status = get_number(reader, &number);
        token->number = unfolded(number);
        return status;
    case FT_CODEC_FLOAT:
    case FT_CODEC_COMPLEX:
        return get_reals(reader, token);
    case FT_CODEC_KEY:
    case FT_CODEC_KEY_AGAIN:
        return get_key(reader, token);
    case FT_CODEC_LONG:
    case FT_CODEC_STR:
    case FT_CODEC_BYTES:
    case FT_CODEC_BYTEARRAY:
    case FT_CODEC_DECIMAL:
        return get_content(reader, in_piece, token);
    case FT_CODEC_TUPLE:
    case FT_CODEC_LIST:
    case FT_CODEC_SET:
    case FT_CODEC_FROZENSET:
    case FT_CODEC_DICT:
        return get_container(reader, token);
    case FT_CODEC_RANGE:
        return promise(reader, 3);
    case FT_CODEC_DATE:
    case FT_CODEC_TIME:
    case FT_CODEC_DATETIME:
        return get_when(reader, token);
    case FT_CODEC_TIMEDELTA:
        return get_difference(reader, &token->when);
    case FT_CODEC_ARRAY:
        return get_array(reader, in_piece, token);
    case FT_CODEC_SCALAR:
        status = get_content(reader, false, token);
        return status == FT_OK ? promise(reader, 1) : status;
    case FT_CODEC_PICKLE:
        return get_pickle(reader, in_piece, token);
    }
    return FT_ERR_CORRUPT;
}

static bool may_be_piece(ft_codec_kind kind)
{
    return kind == FT_CODEC_STR || kind == FT_CODEC_BYTES || kind == FT_CODEC_ARRAY ||
           kind == FT_CODEC_PICKLE;
}

ft_status ft_codec_next(ft_codec_reader *reader, ft_codec_token *token)
{
    if (reader->owed == 0 || reader->at == reader->end)
        return FT_ERR_CORRUPT;
    uint8_t tag = *reader->at++;
    reader->owed--;
    if (tag < TAG_STR) {
        token->kind = FT_CODEC_INT;
        token->number = tag - TAG_INT;
        return reader->pickled ? FT_ERR_CORRUPT : FT_OK;
    }
    bool in_piece = tag >= TAG_PIECE;
    if (tag < TAG_TUPLE) {
        token->kind = FT_CODEC_STR;
        token->in_piece = false;
        token->length = tag - TAG_STR;
        if (get_fixed(reader, token->length, &token->bytes) != FT_OK)
            return FT_ERR_CORRUPT;
    } else if (tag < TAG_NAMED) {
        token->kind = FT_CODEC_TUPLE;
        token->count = tag - TAG_TUPLE;
        if (promise(reader, token->count) != FT_OK)
            return FT_ERR_CORRUPT;
    } else {
        token->kind = (ft_codec_kind)(tag - (in_piece ? TAG_PIECE : TAG_NAMED));
        if (tag >= TAG_END || (in_piece && !may_be_piece(token->kind)) ||
            get_named(reader, in_piece, token) != FT_OK)
            return FT_ERR_CORRUPT;
    }
    if (reader->owed > left(reader))
        return FT_ERR_CORRUPT;
    return reader->pickled == (token->kind == FT_CODEC_PICKLE) ? FT_OK : FT_ERR_CORRUPT;
}

ft_status ft_codec_close(const ft_codec_reader *reader)
{
    return reader->owed == 0 && reader->at == reader->end && reader->pieces == 0 ? FT_OK
                                                                                 : FT_ERR_CORRUPT;
}

ft_status ft_codec_check(const uint8_t *bytes, size_t length)
{
    ft_codec_reader reader;
    ft_codec_token token;
    ft_status status = ft_codec_open(&reader, bytes, length);
    while (status == FT_OK && reader.owed > 0)
        status = ft_codec_next(&reader, &token);
    while (status == FT_OK && reader.pickled && reader.pieces > 0)
        status = ft_codec_take(&reader, &token.bytes, &token.length);
    return status == FT_OK ? ft_codec_close(&reader) : status;
}

/* ---- writing ---- */

void ft_codec_put(ft_buf *out, ft_codec_kind kind)
{
    ft_buf_put_byte(out, (uint8_t)(TAG_NAMED + kind));
}

void ft_codec_put_int(ft_buf *out, int64_t number)
{
    if (number >= 0 && number < SHORT_INTS) {
        ft_buf_put_byte(out, (uint8_t)(TAG_INT + number));
        return;
    }
    uint8_t *at = ft_buf_reserve(out, 1 + FT_VARINT_MAX);
    if (at == NULL)
        return;
    *at = TAG_NAMED + FT_CODEC_INT;
    out->length += (size_t)(ft_varint_put(at + 1, folded(number)) - at);
}

static void store_real(uint8_t *at, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    for (unsigned byte = 0; byte < 8; byte++)
        at[byte] = (uint8_t)(bits >> (8 * byte));
}

void ft_codec_put_float(ft_buf *out, double real)
{
    uint8_t *at = ft_buf_reserve(out, 1 + sizeof real);
    if (at == NULL)
        return;
    *at = TAG_NAMED + FT_CODEC_FLOAT;
    store_real(at + 1, real);
    out->length += 1 + sizeof real;
}

void ft_codec_put_complex(ft_buf *out, double real, double imaginary)
{
    uint8_t numbers[16];
    store_real(numbers, real);
    store_real(numbers + 8, imaginary);
    ft_codec_put(out, FT_CODEC_COMPLEX);
    ft_buf_put(out, numbers, sizeof numbers);
}

void ft_codec_put_bytes(ft_buf *out, ft_codec_kind kind, const void *bytes, size_t length)
{
    enum { HEAD = 1 + FT_VARINT_MAX };
    uint8_t *begin = length > SIZE_MAX - HEAD ? NULL : ft_buf_reserve(out, HEAD + length);
    if (begin == NULL)
        return; /* the buffer says so; no object is longer than half the address space */
    uint8_t *at = begin;
    if (kind == FT_CODEC_STR && length < SHORT_STRS) {
        *at++ = (uint8_t)(TAG_STR + length);
    } else {
        *at++ = (uint8_t)(TAG_NAMED + kind);
        at = ft_varint_put(at, length);
    }
    memcpy(at, bytes, length);
    out->length += (size_t)(at + length - begin);
}

void ft_codec_put_piece(ft_buf *out, ft_codec_kind kind)
{
    assert(may_be_piece(kind));
    ft_buf_put_byte(out, (uint8_t)(TAG_PIECE + kind));
}

void ft_codec_put_count(ft_buf *out, ft_codec_kind kind, uint64_t count)
{
    if (kind == FT_CODEC_TUPLE && count < SHORT_TUPLES) {
        ft_buf_put_byte(out, (uint8_t)(TAG_TUPLE + count));
        return;
    }
    ft_codec_put(out, kind);
    ft_buf_put_varint(out, count);
}

static void put_bytes_of(ft_buf *out, int32_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        ft_buf_put_byte(out, (uint8_t)((uint32_t)number >> (8 * i)));
}

void ft_codec_put_when(ft_buf *out, ft_codec_kind kind, const ft_codec_when *when)
{
    ft_codec_put(out, kind);
    if (kind == FT_CODEC_TIMEDELTA) {
        ft_buf_put_varint(out, folded(when->day));
        ft_buf_put_varint(out, (uint64_t)when->second);
        ft_buf_put_varint(out, (uint64_t)when->microsecond);
        return;
    }
    if (kind != FT_CODEC_TIME) {
        put_bytes_of(out, when->year, 2);
        put_bytes_of(out, when->month, 1);
        put_bytes_of(out, when->day, 1);
    }
    if (kind != FT_CODEC_DATE) {
        put_bytes_of(out, when->hour, 1);
        put_bytes_of(out, when->minute, 1);
        put_bytes_of(out, when->second, 1);
        put_bytes_of(out, when->microsecond, 3);
        put_bytes_of(out, (when->fold ? WHEN_FOLD : 0) | (when->utc ? WHEN_UTC : 0), 1);
    }
}

void ft_codec_put_array(ft_buf *out, bool fortran, const int64_t *shape, uint32_t count,
                        const void *bytes, size_t length)
{
    if (bytes == NULL)
        ft_codec_put_piece(out, FT_CODEC_ARRAY);
    else
        ft_codec_put(out, FT_CODEC_ARRAY);
    ft_buf_put_byte(out, fortran ? ARRAY_FORTRAN : 0);
    ft_buf_put_varint(out, count);
    for (uint32_t i = 0; i < count; i++)
        ft_buf_put_varint(out, (uint64_t)shape[i]);
    if (bytes != NULL) {
        ft_buf_put_varint(out, length);
        ft_buf_put(out, bytes, length);
    }
}

void ft_codec_put_pickle(ft_buf *out, const void *bytes, size_t length, uint64_t count)
{
    if (bytes == NULL)
        ft_codec_put_piece(out, FT_CODEC_PICKLE);
    else
        ft_codec_put_bytes(out, FT_CODEC_PICKLE, bytes, length);
    ft_buf_put_varint(out, count);
}

void ft_codec_put_head(ft_buf *out, bool pickled)
{
    ft_buf_put_byte(out, FT_CODEC_VERSION);
    ft_buf_put_byte(out, pickled ? FT_CODEC_PICKLED : 0);
}

void ft_codec_put_table(ft_buf *out, bool pickled, const void *tokens, size_t length,
                        const size_t *lengths, size_t count)
{
    assert(count > 0);
    ft_buf_put_byte(out, FT_CODEC_VERSION);
    ft_buf_put_byte(out, (uint8_t)(FT_CODEC_PIECES | (pickled ? FT_CODEC_PICKLED : 0)));
    ft_buf_put_varint(out, length);
    ft_buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        ft_buf_put_varint(out, lengths[i]);
    ft_buf_put(out, tokens, length);
}
