/* SPDX-License-Identifier: Apache-2.0 */
/* file_builder.h: .fettle files made by hand, chunk by chunk, sound outside and anything inside.
 * Used by the tests of the reader and by the generator of its fuzz corpus. */
#ifndef FILE_BUILDER_H
#define FILE_BUILDER_H

#include <stdint.h>
#include <stdlib.h>

#include "engine/base/buf.h"
#include "engine/file/chunk.h"

typedef struct builder {
    ft_buf file;
    ft_packer packer;
    uint32_t sequence; /* of the next chunk */
} builder;

static inline void builder_init(builder *to)
{
    to->sequence = 0;
    ft_buf_init(&to->file, &ft_mem_system);
    if (ft_packer_init(&to->packer, &ft_mem_system) != FT_OK)
        abort();
}

static inline void builder_fini(builder *to)
{
    ft_packer_fini(&to->packer);
    ft_buf_fini(&to->file);
}

static inline void build_header(builder *to, uint16_t major)
{
    to->sequence = 0;
    ft_header_put(&to->file, major, 0);
}

static inline void build_chunk(builder *to, ft_chunk head, const void *raw, size_t length)
{
    head.sequence = to->sequence++;
    if (ft_packer_put(&to->packer, &head, raw, length, &to->file) != FT_OK)
        abort();
}

/* A chunk of that type with the payload of a string literal. */
#define BUILD(to, name, literal)                                                                   \
    build_chunk(to, (ft_chunk){.type = FT_CHUNK_##name}, literal, sizeof literal - 1)

/* A header, one text ("a"), one code, one process, one thread. */
static inline void build_dictionaries(builder *to)
{
    build_header(to, FT_FORMAT_MAJOR);
    BUILD(to, META, "\1k\1v");
    BUILD(to, TEXT, "\1a");
    BUILD(to, CODE, "\1\1\1\1\5");
    BUILD(to, PROC, "\7\1\1\1\0\0");
    BUILD(to, THRD, "\0\1\1");
}

/* A tree of two nodes and the end of the segment. */
static inline void build_rest(builder *to)
{
    BUILD(to, TREE,
          "\0\2"
          "\0\1"
          "\0\1"
          "\0\3"
          "\0\4"
          "\0\2");
    BUILD(to, NOTE, "\1\0\5");
    BUILD(to, END, "\1\1\1\1\2\1");
}

#endif
