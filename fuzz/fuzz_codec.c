/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_codec.c: hostile bytes for the reader of encoded values (fuzz/make_codec_corpus.py makes the
 * first inputs). What is accepted lies within the bytes, keeps its promises within them too, and is
 * the whole of them. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/store/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool has_bytes(ft_codec_kind kind)
{
    return kind == FT_CODEC_LONG || kind == FT_CODEC_STR || kind == FT_CODEC_KEY ||
           kind == FT_CODEC_BYTES || kind == FT_CODEC_BYTEARRAY || kind == FT_CODEC_DECIMAL ||
           kind == FT_CODEC_ARRAY || kind == FT_CODEC_SCALAR || kind == FT_CODEC_PICKLE;
}

static void look(const ft_codec_token *token, const uint8_t *data, size_t size)
{
    static volatile uint8_t sum;
    int64_t shape[FT_CODEC_DIMS];
    if (has_bytes(token->kind)) {
        must(token->bytes >= data && token->length <= size);
        must((size_t)(token->bytes - data) <= size - token->length);
        if (token->length > 0)
            sum = (uint8_t)(sum + token->bytes[0] + token->bytes[token->length - 1]);
    }
    if (token->kind == FT_CODEC_ARRAY)
        must(ft_codec_shape(token, shape) == FT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ft_codec_reader reader;
    ft_codec_token token;
    ft_status status = ft_codec_open(&reader, data, size);
    while (status == FT_OK && reader.owed > 0) {
        status = ft_codec_next(&reader, &token);
        if (status == FT_OK) {
            must(reader.owed <= (size_t)(reader.end - reader.at));
            look(&token, data, size);
        }
    }
    while (status == FT_OK && reader.pickled && reader.pieces > 0)
        must(ft_codec_take(&reader, &token.bytes, &token.length) == FT_OK);
    if (status == FT_OK)
        status = ft_codec_close(&reader);
    must(status == ft_codec_check(data, size));
    must((status == FT_ERR_NEWER) == (size > FT_CODEC_PLAIN_HEAD && data[0] != FT_CODEC_VERSION));
    return 0;
}
