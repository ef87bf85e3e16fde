/* SPDX-License-Identifier: Apache-2.0 */
/* value_coder.h: what the files of the value codec share: the state of one encoding or decoding.
 * The borders are value_codec.h's. */
#ifndef FT_GLUE_PERSIST_VALUE_CODER_H
#define FT_GLUE_PERSIST_VALUE_CODER_H

#include <Python.h>
#include <datetime.h>

#include "engine/base/address_set.h"
#include "glue/persist/value_codec.h"

/* How an attempt to write something typed ends. */
typedef enum ft_outcome {
    FT_ENCODED,
    FT_FOREIGN, /* only pickle can */
    FT_FAILED   /* with an exception */
} ft_outcome;

enum { FT_ENCODER_FEW = 8, FT_ENCODER_SLOTS = 256, FT_ENCODER_PROBES = 8 };

typedef struct ft_value_encoder {
    ft_encoded *out; /* its head: the tokens so far */
    uint32_t depth;
    uint32_t few;                          /* in met_first */
    uint32_t keys;                         /* in key */
    bool spilled;                          /* met is begun, and holds all */
    const void *met_first[FT_ENCODER_FEW]; /* objects that must not be met again */
    ft_address_set met;
    PyDateTime_CAPI *datetime;       /* NULL: not asked for yet */
    PyObject *key[FT_CODEC_KEYS];    /* strong references: the numbered keys */
    uint8_t slots[FT_ENCODER_SLOTS]; /* by address, or a few further: number of a key plus one */
} ft_value_encoder;

/* Writes one value. shared: others may hold it too, so it may be met again. */
ft_outcome ft_encoder_put(ft_value_encoder *encoder, PyObject *value, bool shared);

/* Notes that an object is met: FT_FOREIGN where it was before. */
ft_outcome ft_encoder_meet(ft_value_encoder *encoder, const void *object);

/* Adds what object's buffer holds as the next piece. 0 or -1 with an exception. */
int ft_encoded_add(ft_encoded *encoded, PyObject *object);

/* An object whose type's name begins with "numpy.". */
ft_outcome ft_encoder_put_numpy(ft_value_encoder *encoder, PyObject *value, bool shared);

/* A value as a pickle, whole, into an empty *out. 0 or -1 with an exception. */
int ft_encoded_pickle(ft_encoded *out, PyObject *value);

typedef struct ft_value_decoder {
    ft_codec_reader reader;
    uint32_t depth;
    uint32_t keys;
    PyObject *owner; /* borrowed, or NULL */
    size_t offset;   /* of the encoding in the owner's buffer */
    bool read_only;  /* it is */
    PyObject *numpy; /* strong, or NULL: not met yet */
    PyDateTime_CAPI *datetime;
    PyObject *key[FT_CODEC_KEYS]; /* strong */
} ft_value_decoder;

/* One value, or NULL with an exception. */
PyObject *ft_decoder_get(ft_value_decoder *decoder);
PyObject *ft_decoder_refuse(const ft_value_decoder *decoder); /* ValueError; NULL */

/* What follows such a token. */
PyObject *ft_decoder_get_array(ft_value_decoder *decoder, const ft_codec_token *token);
PyObject *ft_decoder_get_scalar(ft_value_decoder *decoder, const ft_codec_token *token);
PyObject *ft_decoder_unpickle(ft_value_decoder *decoder, const ft_codec_token *token);

#endif
