/* SPDX-License-Identifier: Apache-2.0 */
/* blobs.c: large values, a file each. */
#include "engine/store/blobs.h"

#include "engine/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { BELIEVED_MOST = 1 << 16, ORPHAN_SECONDS = 600, FOLDERS = 256, PIECE = 256 << 10 };

ft_status ft_blobs_init(ft_blobs *blobs, const ft_mem *mem)
{
    blobs->mem = mem;
    ft_map_init(&blobs->believed, mem);
    return pthread_mutex_init(&blobs->lock, NULL) == 0 ? FT_OK : FT_ERR_MEMORY;
}

void ft_blobs_fini(ft_blobs *blobs)
{
    ft_map_fini(&blobs->believed);
    pthread_mutex_destroy(&blobs->lock);
}

static void path_of(const ft_blob *blob, char path[FT_BLOB_PATH])
{
    snprintf(path, FT_BLOB_PATH, "blobs/%02x/%016" PRIx64 "%016" PRIx64 "-%016" PRIx64,
             (unsigned)(blob->key.low & 0xff), blob->key.low, blob->key.high,
             blob->name.content.low);
}

/* ---- writing ---- */

static int temporary_file(const ft_folder *folder, char temporary[FT_BLOB_PATH])
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -1;
    snprintf(temporary, FT_BLOB_PATH, "blobs/new-%016" PRIx64, number);
    int fd = ft_folder_file(folder, temporary, O_RDWR | O_CREAT | O_EXCL);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    mkdirat(folder->fd, "blobs", 0700);
    return ft_folder_file(folder, temporary, O_RDWR | O_CREAT | O_EXCL);
}

/* Little by little: what was just digested lies in the processor's cache when it is written. */
static ft_status write_piece(int fd, const ft_piece *piece, ft_digester *digester, uint64_t *at)
{
    ft_status status = FT_OK;
    for (size_t done = 0; done < piece->length && status == FT_OK; done += PIECE) {
        size_t left = piece->length - done, some = left < PIECE ? left : PIECE;
        const uint8_t *bytes = (const uint8_t *)piece->bytes + done;
        ft_digester_feed(digester, bytes, some);
        status = ft_write_at(fd, bytes, some, *at);
        *at += some;
    }
    return status;
}

ft_status ft_blob_write(const ft_folder *folder, const ft_piece *pieces, size_t count,
                        ft_blob *blob, char temporary[FT_BLOB_PATH])
{
    ft_digester digester;
    uint64_t at = 0;
    ft_status status = FT_OK;
    int fd = temporary_file(folder, temporary);
    if (fd < 0)
        return ft_status_of_errno(errno);
    ft_digester_init(&digester, &folder->secret);
    for (size_t i = 0; i < count && status == FT_OK; i++)
        status = write_piece(fd, &pieces[i], &digester, &at);
    int why = errno;
    if (close(fd) < 0 && status == FT_OK) {
        why = errno;
        status = ft_status_of_errno(why);
    }
    if (status != FT_OK) {
        ft_blob_discard(folder, temporary);
        errno = why;
        return status;
    }
    blob->name = (ft_blob_name){ft_digester_result(&digester), at};
    return FT_OK;
}

ft_status ft_blob_settle(const ft_folder *folder, const ft_blob *blob,
                         const char temporary[FT_BLOB_PATH])
{
    char path[FT_BLOB_PATH], within[16];
    path_of(blob, path);
    if (renameat(folder->fd, temporary, folder->fd, path) == 0)
        return FT_OK;
    snprintf(within, sizeof within, "blobs/%02x", (unsigned)(blob->key.low & 0xff));
    mkdirat(folder->fd, within, 0700);
    return renameat(folder->fd, temporary, folder->fd, path) == 0 ? FT_OK
                                                                  : ft_status_of_errno(errno);
}

void ft_blob_discard(const ft_folder *folder, const char temporary[FT_BLOB_PATH])
{
    unlinkat(folder->fd, temporary, 0);
}

void ft_blob_remove(const ft_folder *folder, const ft_blob *blob)
{
    char path[FT_BLOB_PATH];
    path_of(blob, path);
    unlinkat(folder->fd, path, 0);
}

/* ---- reading ---- */

/* Opens one that has the size it should have. */
static ft_status blob_open(const ft_folder *folder, const ft_blob *blob, int *result,
                           struct stat *is)
{
    char path[FT_BLOB_PATH];
    path_of(blob, path);
    int fd = ft_folder_file(folder, path, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? FT_ERR_EMPTY : FT_ERR_IO;
    if (fstat(fd, is) < 0 || (uint64_t)is->st_size != blob->name.bytes) {
        close(fd);
        return FT_ERR_CORRUPT;
    }
    *result = fd;
    return FT_OK;
}

/* What tells this state of this file from any other. */
static uint64_t sight_of(const ft_folder *folder, const ft_blob *blob, const struct stat *is)
{
    uint64_t facts[] = {blob->name.content.low,       blob->name.content.high,
                        (uint64_t)is->st_dev,         (uint64_t)is->st_ino,
                        (uint64_t)is->st_ctim.tv_sec, (uint64_t)is->st_ctim.tv_nsec,
                        (uint64_t)is->st_size};
    return ft_checksum_of(&folder->secret, facts, sizeof facts);
}

static bool is_believed(ft_blobs *blobs, uint64_t sight)
{
    pthread_mutex_lock(&blobs->lock);
    bool known = ft_map_get(&blobs->believed, sight) != NULL;
    pthread_mutex_unlock(&blobs->lock);
    return known;
}

static void believe(ft_blobs *blobs, uint64_t sight)
{
    pthread_mutex_lock(&blobs->lock);
    if (blobs->believed.count >= BELIEVED_MOST)
        ft_map_clear(&blobs->believed);
    (void)ft_map_put(&blobs->believed, sight, 1); /* no memory: it is digested again */
    pthread_mutex_unlock(&blobs->lock);
}

/* Digests a file piece by piece: it is not mapped before, since it may be cut meanwhile. */
static ft_status digest_file(const ft_folder *folder, int fd, const ft_blob *blob,
                             const ft_mem *mem)
{
    ft_digester digester;
    ft_status status = FT_OK;
    uint8_t *piece = ft_mem_resize(mem, NULL, PIECE, 1);
    if (piece == NULL)
        return FT_ERR_MEMORY;
    ft_digester_init(&digester, &folder->secret);
    for (uint64_t at = 0; at < blob->name.bytes && status == FT_OK; at += PIECE) {
        uint64_t left = blob->name.bytes - at;
        size_t some = left < PIECE ? left : PIECE;
        ssize_t got = ft_read_at(fd, piece, some, at);
        if (got != (ssize_t)some)
            status = got < 0 ? FT_ERR_IO : FT_ERR_CORRUPT;
        else
            ft_digester_feed(&digester, piece, some);
    }
    if (status == FT_OK && !ft_digest_same(ft_digester_result(&digester), blob->name.content))
        status = FT_ERR_CORRUPT;
    int why = errno;
    ft_mem_free(mem, piece);
    errno = why;
    return status;
}

bool ft_blob_sight(const ft_folder *folder, const ft_blob *blob, uint64_t *sight)
{
    char path[FT_BLOB_PATH];
    struct stat is;
    path_of(blob, path);
    if (fstatat(folder->fd, path, &is, AT_SYMLINK_NOFOLLOW) < 0 ||
        (uint64_t)is.st_size != blob->name.bytes)
        return false;
    *sight = sight_of(folder, blob, &is);
    return true;
}

ft_status ft_blob_map(ft_blobs *blobs, const ft_folder *folder, const ft_blob *blob, bool writable,
                      uint8_t **bytes, uint64_t *sight)
{
    int fd;
    struct stat is;
    ft_status status = blob_open(folder, blob, &fd, &is);
    if (status != FT_OK)
        return status;
    *sight = sight_of(folder, blob, &is);
    if (!is_believed(blobs, *sight)) {
        status = digest_file(folder, fd, blob, blobs->mem);
        if (status == FT_OK)
            believe(blobs, *sight);
    }
    void *map = MAP_FAILED;
    if (status == FT_OK)
        map = mmap(NULL, blob->name.bytes, PROT_READ | (writable ? PROT_WRITE : 0),
                   writable ? MAP_PRIVATE : MAP_SHARED, fd, 0);
    int why = errno;
    close(fd);
    errno = why;
    if (status == FT_OK && map == MAP_FAILED)
        status = why == ENOMEM ? FT_ERR_MEMORY : FT_ERR_LIMIT;
    if (status == FT_OK)
        *bytes = map;
    return status;
}

ft_status ft_blob_read(const ft_folder *folder, const ft_blob *blob, const ft_mem *mem,
                       void **result, uint8_t **bytes)
{
    int fd;
    struct stat is;
    ft_status status = blob_open(folder, blob, &fd, &is);
    if (status != FT_OK)
        return status;
    size_t length = blob->name.bytes;
    uint8_t *block = ft_mem_resize(mem, NULL, length + FT_BLOCK_SLACK, 1), *at = NULL;
    status = FT_ERR_MEMORY;
    if (block != NULL) {
        at = block + (FT_BLOCK_SLACK - ((uintptr_t)block + FT_BLOCK_SLACK) % FT_ALIGNED);
        ssize_t got = ft_read_at(fd, at, length, 0);
        status = got < 0 ? FT_ERR_IO : FT_OK;
        if (got >= 0 &&
            ((size_t)got != length ||
             !ft_digest_same(ft_digest_of(&folder->secret, at, length), blob->name.content)))
            status = FT_ERR_CORRUPT;
    }
    int why = errno;
    close(fd);
    if (status == FT_OK) {
        *result = block;
        *bytes = at;
    } else {
        ft_mem_free(mem, block);
    }
    errno = why;
    return status;
}

/* ---- removing what nobody needs ---- */

typedef struct sweep {
    bool all;
    time_t before; /* what is being written and younger stays */
    bool (*is_used)(void *context, ft_digest key, uint64_t content);
    void *context;
} sweep;

static bool is_old(int folder, const char *name, const sweep *as)
{
    struct stat is;
    return fstatat(folder, name, &is, AT_SYMLINK_NOFOLLOW) == 0 && is.st_mtime < as->before;
}

static void sweep_file(int folder, const char *name, const sweep *as)
{
    ft_digest key;
    uint64_t content;
    bool goes;
    if (sscanf(name, "%16" SCNx64 "%16" SCNx64 "-%16" SCNx64, &key.low, &key.high, &content) == 3)
        goes = as->all || !as->is_used(as->context, key, content);
    else /* another writer may be about to give it its name */
        goes = is_old(folder, name, as);
    if (goes) /* never a folder */
        unlinkat(folder, name, 0);
}

/* prefix: of the names that are looked at. */
static void sweep_folder(const ft_folder *folder, const char *path, const char *prefix,
                         const sweep *as)
{
    int fd = openat(folder->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (listing == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *file; (file = readdir(listing)) != NULL;)
        if (file->d_name[0] != '.' && strncmp(file->d_name, prefix, strlen(prefix)) == 0)
            sweep_file(fd, file->d_name, as);
    closedir(listing);
}

void ft_blobs_sweep(const ft_folder *folder, bool all,
                    bool (*is_used)(void *context, ft_digest key, uint64_t content), void *context)
{
    char path[16];
    sweep as = {all, time(NULL) - ORPHAN_SECONDS, is_used, context};
    sweep_folder(folder, "blobs", "", &as);
    for (unsigned i = 0; i < FOLDERS; i++) {
        snprintf(path, sizeof path, "blobs/%02x", i);
        sweep_folder(folder, path, "", &as);
    }
    sweep_folder(folder, ".", "head.", &as);
}
