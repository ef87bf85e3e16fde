/* SPDX-License-Identifier: Apache-2.0 */
/* blobs.h: values too large for a segment, a file each, named by key and content.
 *
 * A blob is written under another name and renamed when it is whole, and never changed after, so
 * it can be mapped: whoever has it mapped keeps it though it is removed. Each process digests a
 * blob once before it believes it, and remembers which file that was. */
#ifndef FT_STORE_BLOBS_H
#define FT_STORE_BLOBS_H

#include "engine/base/map.h"
#include "engine/store/folder.h"
#include "engine/store/store.h"

#include <pthread.h>

/* The body of a blob's entry. */
typedef struct ft_blob_name {
    ft_digest content;
    uint64_t bytes; /* of the file */
} ft_blob_name;

typedef struct ft_blob {
    ft_digest key;
    ft_blob_name name;
} ft_blob;

enum {
    FT_BLOB_PATH = 80,
    FT_ALIGNED = 64, /* what a value's bytes are aligned to */
    FT_BLOCK_SLACK = FT_ALIGNED - 1
};

typedef struct ft_blobs {
    const ft_mem *mem;
    pthread_mutex_t lock; /* of believed */
    ft_map believed;      /* by what tells a file from others */
} ft_blobs;

ft_status ft_blobs_init(ft_blobs *blobs, const ft_mem *mem);
void ft_blobs_fini(ft_blobs *blobs);

/* Writes one under a name of its own, temporary, and sets blob->name. It is ended by _settle or
 * _discard. */
ft_status ft_blob_write(const ft_folder *folder, const ft_piece *pieces, size_t count,
                        ft_blob *blob, char temporary[FT_BLOB_PATH]);
ft_status ft_blob_settle(const ft_folder *folder, const ft_blob *blob,
                         const char temporary[FT_BLOB_PATH]);
void ft_blob_discard(const ft_folder *folder, const char temporary[FT_BLOB_PATH]);

void ft_blob_remove(const ft_folder *folder, const ft_blob *blob);

/* Its bytes, mapped (writable: what is written stays private; the caller unmaps blob->name.bytes of
 * them; *sight: of the file) or in a block of mem's, aligned to FT_ALIGNED. FT_ERR_EMPTY: it is not
 * there; FT_ERR_CORRUPT; FT_ERR_IO; FT_ERR_MEMORY. */
ft_status ft_blob_map(ft_blobs *blobs, const ft_folder *folder, const ft_blob *blob, bool writable,
                      uint8_t **bytes, uint64_t *sight);
ft_status ft_blob_read(const ft_folder *folder, const ft_blob *blob, const ft_mem *mem,
                       void **block, uint8_t **bytes);

/* What tells the present state of its file from any other; false: it is not as it should be. */
bool ft_blob_sight(const ft_folder *folder, const ft_blob *blob, uint64_t *sight);

/* Removes what no entry leads to: is_used says of which key and content (low half) one does; with
 * all everything. Needs the lock. Names that files have while they are written, the head's too, go
 * when they are old: a writer that was killed left them. */
void ft_blobs_sweep(const ft_folder *folder, bool all,
                    bool (*is_used)(void *context, ft_digest key, uint64_t content), void *context);

#endif
