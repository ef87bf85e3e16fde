/* SPDX-License-Identifier: Apache-2.0 */
/* codec.h: the format of values that are kept (docs/codec.md): a head of tokens, and large pieces
 * behind it, each at a multiple of 64 from the start, so that they can be used where they lie.
 *
 * The tokens of a value stand in the order in which it is walked: a container says how many values
 * follow it. A reader believes nothing: every length is compared with the bytes that are left, and
 * all values that containers have promised, together, with them too (a value has at least one
 * byte), so what a caller reserves is bounded by the length of the encoding. */
#ifndef FT_STORE_CODEC_H
#define FT_STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/status.h"

enum {
    FT_CODEC_VERSION = 1,
    FT_CODEC_ALIGN = 64,   /* pieces begin at multiples of it: a line of a cache */
    FT_CODEC_PIECE = 4096, /* bytes from which on something is a piece: less is copied sooner */
    FT_CODEC_DEPTH = 128,  /* containers in containers: within the C stack of any thread */
    FT_CODEC_DIMS = 64,    /* dimensions of an array: numpy's bound */
    FT_CODEC_KEYS = 255    /* numbered keys of dicts: the fields of records */
};

/* Bits of the second byte. */
enum {
    FT_CODEC_PICKLED = 1 << 0, /* the value is a pickle: decoding it may run any code */
    FT_CODEC_PIECES = 1 << 1   /* a table of pieces follows */
};

/* What a token is. The numbers are written into files: new ones go to the end, below 64. */
typedef enum ft_codec_kind {
    FT_CODEC_NONE,
    FT_CODEC_FALSE,
    FT_CODEC_TRUE,
    FT_CODEC_ELLIPSIS,
    FT_CODEC_INT,       /* number */
    FT_CODEC_LONG,      /* bytes: two's complement, the least significant first */
    FT_CODEC_FLOAT,     /* real */
    FT_CODEC_COMPLEX,   /* real, imaginary */
    FT_CODEC_STR,       /* bytes: UTF-8; lone surrogates are three bytes each */
    FT_CODEC_KEY,       /* as STR, and it is the next of the numbered ones: most are keys */
    FT_CODEC_KEY_AGAIN, /* count: the number of a key */
    FT_CODEC_BYTES,     /* bytes */
    FT_CODEC_BYTEARRAY, /* bytes */
    FT_CODEC_TUPLE,     /* count values follow */
    FT_CODEC_LIST,      /* likewise */
    FT_CODEC_SET,       /* likewise */
    FT_CODEC_FROZENSET, /* likewise */
    FT_CODEC_DICT,      /* count pairs follow: key, value */
    FT_CODEC_RANGE,     /* three values follow: start, stop, step */
    FT_CODEC_DATE,      /* when */
    FT_CODEC_TIME,      /* when */
    FT_CODEC_DATETIME,  /* when */
    FT_CODEC_TIMEDELTA, /* when: day, second, microsecond */
    FT_CODEC_UTC,       /* datetime.timezone.utc */
    FT_CODEC_DECIMAL,   /* bytes: as it is printed */
    FT_CODEC_ARRAY,     /* bytes: the elements; count: dimensions; shape; its dtype follows */
    FT_CODEC_SCALAR,    /* bytes: one element; its dtype follows */
    FT_CODEC_PICKLE     /* bytes: the pickle; count: so many next pieces are its buffers */
} ft_codec_kind;

/* Numbers of a date, a time of a day, both, or a difference. */
typedef struct ft_codec_when {
    int32_t year, month, day; /* of a difference: day alone */
    int32_t hour, minute, second, microsecond;
    bool fold, utc;
} ft_codec_when;

typedef struct ft_codec_token {
    ft_codec_kind kind;
    bool fortran;  /* of an array: the first index changes fastest */
    bool in_piece; /* bytes are a piece, which is aligned */
    uint64_t count;
    int64_t number;
    double real, imaginary;
    const uint8_t *bytes; /* borrowed from the encoding */
    size_t length;
    const uint8_t *shape; /* borrowed: see ft_codec_shape */
    ft_codec_when when;
} ft_codec_token;

typedef struct ft_codec_reader {
    const uint8_t *at, *end; /* of the tokens */
    size_t owed;             /* values promised and not read: at most end - at */
    bool pickled;
    uint64_t keys;                        /* numbered so far */
    uint64_t pieces;                      /* that nobody has taken */
    const uint8_t *lengths, *lengths_end; /* theirs, in the table */
    const uint8_t *start;                 /* of the encoding */
    size_t taken, length;                 /* bytes: until the last taken piece's end; of all */
} ft_codec_reader;

/* Begins to read an encoding. FT_ERR_NEWER: its version is another one; FT_ERR_CORRUPT. */
ft_status ft_codec_open(ft_codec_reader *reader, const uint8_t *bytes, size_t length);

/* The next token. FT_ERR_CORRUPT also where no value is owed any more. */
ft_status ft_codec_next(ft_codec_reader *reader, ft_codec_token *token);

/* The next piece that nobody has taken; for the buffers of a pickle. */
ft_status ft_codec_take(ft_codec_reader *reader, const uint8_t **bytes, size_t *length);

/* FT_OK where the value was whole and nothing is behind it. */
ft_status ft_codec_close(const ft_codec_reader *reader);

/* The token->count dimensions of an array. FT_ERR_CORRUPT where one is beyond 63 bits. */
ft_status ft_codec_shape(const ft_codec_token *token, int64_t shape[FT_CODEC_DIMS]);

/* Is decoding it unpickling? false also for what is no encoding. */
static inline bool ft_codec_is_pickled(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == FT_CODEC_VERSION && (bytes[1] & FT_CODEC_PICKLED) != 0;
}

/* Reads all tokens and gives nothing: is it an encoding? Depth, the text of strings and what a
 * dtype means are for whoever makes objects. */
ft_status ft_codec_check(const uint8_t *bytes, size_t length);

/* ---- writing tokens ---- */

/* NONE, FALSE, TRUE, ELLIPSIS, UTC; RANGE: three values follow. */
void ft_codec_put(ft_buf *out, ft_codec_kind kind);
void ft_codec_put_int(ft_buf *out, int64_t number);
void ft_codec_put_float(ft_buf *out, double real);
void ft_codec_put_complex(ft_buf *out, double real, double imaginary);

/* LONG, STR, KEY, BYTES, BYTEARRAY, DECIMAL, SCALAR. */
void ft_codec_put_bytes(ft_buf *out, ft_codec_kind kind, const void *bytes, size_t length);

/* STR, BYTES: the bytes are the next piece. */
void ft_codec_put_piece(ft_buf *out, ft_codec_kind kind);

/* TUPLE, LIST, SET, FROZENSET, DICT: what they hold follows. KEY_AGAIN. */
void ft_codec_put_count(ft_buf *out, ft_codec_kind kind, uint64_t count);
void ft_codec_put_when(ft_buf *out, ft_codec_kind kind, const ft_codec_when *when);

/* An array of count dimensions; bytes NULL: they are the next piece. Its dtype follows. */
void ft_codec_put_array(ft_buf *out, bool fortran, const int64_t *shape, uint32_t count,
                        const void *bytes, size_t length);

/* A pickle whose buffers are the next count pieces, behind its own if bytes is NULL. */
void ft_codec_put_pickle(ft_buf *out, const void *bytes, size_t length, uint64_t count);

/* ---- the head ---- */

enum { FT_CODEC_PLAIN_HEAD = 2 }; /* bytes of a head without pieces */

/* What an encoding without pieces begins with: its tokens follow. */
void ft_codec_put_head(ft_buf *out, bool pickled);

/* The whole head, its length bytes of tokens too, of an encoding with count > 0 pieces. */
void ft_codec_put_table(ft_buf *out, bool pickled, const void *tokens, size_t length,
                        const size_t *lengths, size_t count);

/* Bytes between an end and the next piece. */
static inline size_t ft_codec_gap(size_t end)
{
    return (FT_CODEC_ALIGN - end % FT_CODEC_ALIGN) % FT_CODEC_ALIGN;
}

#endif
