/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h: the folder of a store: who may use it, its head, its lock, and reading and writing in
 * full.
 *
 *     head        the secret's seed and when the store was born; written once
 *     lock        empty; flock says who writes
 *     claims      empty; fcntl locks say who computes which key (claims.h)
 *     index       where each entry is (slots.h)
 *     functions   names and counts (functions.h)
 *     NNNNNNNN.log  segments: entries, one after the other (segments.h)
 *     blobs/XX/   large values, a file each (blobs.h)
 *
 * Files are opened below the folder's descriptor, never through a link, and only where nobody else
 * could have written them: what is decoded from a store may be a pickle. */
#ifndef FT_STORE_FOLDER_H
#define FT_STORE_FOLDER_H

#include "engine/base/status.h"
#include "engine/store/digest.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { FT_FOLDER_PATIENCE_MS = 2000 }; /* for the lock: a writer may be frozen */

typedef enum ft_folder_state {
    FT_FOLDER_GOOD,
    FT_FOLDER_READ_ONLY,
    FT_FOLDER_NEWER,   /* head says a newer version */
    FT_FOLDER_FOREIGN, /* others own it, or may write there */
    FT_FOLDER_DAMAGED  /* the head was; it is made anew: entries from before mean nothing */
} ft_folder_state;

typedef struct ft_folder {
    int fd;   /* of the folder; -1: none */
    int lock; /* of the file "lock"; -1: none */
    uint64_t born_ns;
    uint8_t seed[FT_SEED_BYTES]; /* of secret */
    ft_secret secret;
} ft_folder;

/* Opens path, makes it and its head where they are not there. FT_ERR_IO: errno says why. */
ft_status ft_folder_open(ft_folder *folder, const char *path, ft_folder_state *state);
void ft_folder_close(ft_folder *folder);

/* Opens a file in it; -1 with errno (EPERM: somebody else may write it). */
int ft_folder_file(const ft_folder *folder, const char *name, int flags);

/* Is the head still the one that was opened? One that is not there any more, or is damaged, is
 * written again. Needs the lock. FT_ERR_FOREIGN: there is another one. */
ft_status ft_folder_confirm(const ft_folder *folder);

/* The writers' lock between processes. false: it could not be had in patience_ms. */
bool ft_folder_lock(ft_folder *folder, int patience_ms);
void ft_folder_unlock(const ft_folder *folder);

/* All of length bytes at offset, or as many as there are; -1 with errno. */
ssize_t ft_read_at(int fd, void *bytes, size_t length, uint64_t offset);
/* FT_OK when all were written; FT_ERR_DISK_FULL, FT_ERR_IO. */
ft_status ft_write_at(int fd, const void *bytes, size_t length, uint64_t offset);

/* What there is to know of a file without its times: for whoever asks for those, the file's next
 * write notes its time anew, which takes longer than the rest of it. */
typedef struct ft_file_facts {
    ino_t inode;
    uint64_t bytes, names;
} ft_file_facts;

/* Of a file in a folder, or with name NULL of the open file itself; false with errno. */
bool ft_file_ask(int fd, const char *name, ft_file_facts *facts);

/* What errno is as a status. */
ft_status ft_status_of_errno(int error);

#endif
