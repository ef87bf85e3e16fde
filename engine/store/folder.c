/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c: opening a store's folder. */
#include "engine/store/folder.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "\x89"
                             "FTSTORE";

enum { VERSION = 1, OTHERS_WRITE = 022 };

typedef struct head {
    char magic[8];
    uint32_t version, reserved;
    uint64_t born_ns;
    uint8_t seed[FT_SEED_BYTES];
    uint64_t check; /* of all before */
} head;

_Static_assert(sizeof(head) == 64, "as it is written");

static uint64_t head_check(const head *is)
{
    return XXH3_64bits(is, offsetof(head, check));
}

/* pread is a place where a thread may be cancelled, which costs a hit a twentieth of its time where
 * a process has several. */
static ssize_t read_some(int fd, void *bytes, size_t length, uint64_t offset)
{
#ifdef __x86_64__
    return syscall(SYS_pread64, fd, bytes, length, (off_t)offset);
#else
    return pread(fd, bytes, length, (off_t)offset);
#endif
}

ssize_t ft_read_at(int fd, void *bytes, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = read_some(fd, (uint8_t *)bytes + done, length - done, offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool ft_file_ask(int fd, const char *name, ft_file_facts *facts)
{
#ifdef STATX_SIZE
    struct statx is;
    if (statx(fd, name == NULL ? "" : name, name == NULL ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW,
              STATX_INO | STATX_SIZE | STATX_NLINK, &is) == 0) {
        *facts = (ft_file_facts){is.stx_ino, is.stx_size, is.stx_nlink};
        return true;
    }
    if (errno != ENOSYS && errno != EPERM) /* sandboxes refuse what they do not know */
        return false;
#endif
    struct stat was;
    if (name == NULL ? fstat(fd, &was) < 0 : fstatat(fd, name, &was, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    *facts = (ft_file_facts){was.st_ino, (uint64_t)was.st_size, was.st_nlink};
    return true;
}

ft_status ft_status_of_errno(int error)
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return full ? FT_ERR_DISK_FULL : FT_ERR_IO;
}

ft_status ft_write_at(int fd, const void *bytes, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t put =
            pwrite(fd, (const uint8_t *)bytes + done, length - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ft_status_of_errno(errno);
        done += (size_t)put;
    }
    return FT_OK;
}

static bool others_may_write(const struct stat *is)
{
    return is->st_uid != geteuid() || (is->st_mode & OTHERS_WRITE) != 0;
}

int ft_folder_file(const ft_folder *folder, const char *name, int flags)
{
    struct stat is;
    int fd = openat(folder->fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NOATIME, 0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && !others_may_write(&is))
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* ---- the head ---- */

/* Puts a head in the place of what is there. */
static ft_status head_write(const ft_folder *folder, head *is)
{
    char name[40];
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return FT_ERR_IO;
    is->check = head_check(is);
    snprintf(name, sizeof name, "head.%016llx", (unsigned long long)number);
    int fd = ft_folder_file(folder, name, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return ft_status_of_errno(errno);
    ft_status status = ft_write_at(fd, is, sizeof *is, 0);
    close(fd);
    if (status == FT_OK && renameat(folder->fd, name, folder->fd, "head") < 0)
        status = ft_status_of_errno(errno);
    if (status != FT_OK) {
        int why = errno;
        unlinkat(folder->fd, name, 0);
        errno = why;
    }
    return status;
}

static ft_status head_make(const ft_folder *folder)
{
    head made = {.version = VERSION, .born_ns = ft_clock_ns(CLOCK_REALTIME)};
    memcpy(made.magic, magic, sizeof magic);
    if (getrandom(made.seed, sizeof made.seed, 0) != (ssize_t)sizeof made.seed)
        return FT_ERR_IO;
    return head_write(folder, &made);
}

/* FT_ERR_EMPTY: there is none. */
static ft_status head_read(const ft_folder *folder, head *is)
{
    int fd = ft_folder_file(folder, "head", O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? FT_ERR_EMPTY : FT_ERR_IO;
    ssize_t got = ft_read_at(fd, is, sizeof *is, 0);
    close(fd);
    if (got < 0)
        return FT_ERR_IO;
    if (got != (ssize_t)sizeof *is || memcmp(is->magic, magic, sizeof magic) != 0 ||
        is->check != head_check(is))
        return FT_ERR_CORRUPT;
    return is->version > VERSION ? FT_ERR_NEWER : FT_OK;
}

/* Makes a head where there is none that is whole, unless somebody else did meanwhile. */
static ft_status head_replace(ft_folder *folder, head *is, ft_folder_state *state)
{
    if (!ft_folder_lock(folder, FT_FOLDER_PATIENCE_MS))
        return FT_ERR_IO;
    ft_status status = head_read(folder, is);
    if (status == FT_ERR_EMPTY || status == FT_ERR_CORRUPT) {
        if (status == FT_ERR_CORRUPT)
            *state = FT_FOLDER_DAMAGED;
        status = head_make(folder);
        if (status == FT_OK)
            status = head_read(folder, is);
    }
    int why = errno;
    ft_folder_unlock(folder);
    errno = why;
    return status;
}

static ft_status head_find(ft_folder *folder, ft_folder_state *state)
{
    head is;
    ft_status status = head_read(folder, &is);
    if (status == FT_ERR_EMPTY || status == FT_ERR_CORRUPT)
        status = head_replace(folder, &is, state);
    if (status == FT_ERR_NEWER || (status == FT_ERR_IO && errno == EPERM)) {
        *state = status == FT_ERR_NEWER ? FT_FOLDER_NEWER : FT_FOLDER_FOREIGN;
        return FT_OK;
    }
    if (status != FT_OK)
        return status;
    folder->born_ns = is.born_ns;
    memcpy(folder->seed, is.seed, sizeof is.seed);
    ft_secret_init(&folder->secret, is.seed);
    return FT_OK;
}

ft_status ft_folder_confirm(const ft_folder *folder)
{
    head is;
    ft_status status = head_read(folder, &is);
    if (status == FT_OK)
        return is.born_ns == folder->born_ns && memcmp(is.seed, folder->seed, sizeof is.seed) == 0
                   ? FT_OK
                   : FT_ERR_FOREIGN;
    if (status != FT_ERR_EMPTY && status != FT_ERR_CORRUPT)
        return status;
    is = (head){.version = VERSION, .born_ns = folder->born_ns};
    memcpy(is.magic, magic, sizeof magic);
    memcpy(is.seed, folder->seed, sizeof is.seed);
    return head_write(folder, &is);
}

/* ---- the folder ---- */

static ft_status enter(ft_folder *folder, const char *path, ft_folder_state *state)
{
    struct stat is;
    if (mkdir(path, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
        return FT_ERR_IO;
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder->fd < 0 || fstat(folder->fd, &is) < 0)
        return FT_ERR_IO;
    if (others_may_write(&is)) {
        *state = FT_FOLDER_FOREIGN;
        return FT_OK;
    }
    folder->lock = ft_folder_file(folder, "lock", O_RDWR | O_CREAT);
    if (folder->lock < 0) {
        if (errno != EROFS && errno != EACCES && errno != EPERM && errno != ENOSPC &&
            errno != EDQUOT)
            return FT_ERR_IO;
        *state = errno == EPERM ? FT_FOLDER_FOREIGN : FT_FOLDER_READ_ONLY;
    }
    return *state == FT_FOLDER_FOREIGN ? FT_OK : head_find(folder, state);
}

ft_status ft_folder_open(ft_folder *folder, const char *path, ft_folder_state *state)
{
    folder->fd = folder->lock = -1;
    folder->born_ns = 0;
    memset(&folder->secret, 0, sizeof folder->secret);
    *state = FT_FOLDER_GOOD;
    ft_status status = enter(folder, path, state);
    if (status != FT_OK) {
        int why = errno;
        ft_folder_close(folder);
        errno = why;
    }
    return status;
}

void ft_folder_close(ft_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    if (folder->lock >= 0)
        close(folder->lock);
    folder->fd = folder->lock = -1;
}

/* Is the file that was locked still the one of that name? Else it is opened again, and not locked.
 */
static bool lock_is_named(ft_folder *folder)
{
    ft_file_facts is;
    if (!ft_file_ask(folder->lock, NULL, &is) || is.names > 0)
        return true;
    int fd = ft_folder_file(folder, "lock", O_RDWR | O_CREAT);
    if (fd < 0)
        return true; /* the whole folder is gone: what follows finds that */
    close(folder->lock);
    folder->lock = fd;
    return false;
}

bool ft_folder_lock(ft_folder *folder, int patience_ms)
{
    const long longest_us = 1000;
    uint64_t until = ft_clock_ns(CLOCK_MONOTONIC) + (uint64_t)patience_ms * 1000000;
    for (long pause_us = 20; folder->lock >= 0;) {
        if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0) {
            if (lock_is_named(folder))
                return true;
            continue;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        if (ft_clock_ns(CLOCK_MONOTONIC) > until) {
            errno = EWOULDBLOCK;
            return false;
        }
        nanosleep(&(struct timespec){0, pause_us * 1000}, NULL);
        pause_us = pause_us * 2 < longest_us ? pause_us * 2 : longest_us;
    }
    errno = EBADF;
    return false;
}

void ft_folder_unlock(const ft_folder *folder)
{
    flock(folder->lock, LOCK_UN);
}
