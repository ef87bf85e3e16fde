/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: a file's bytes in memory (see load.h).
 *
 * The file is read, not mapped: one that shrinks under a map is a SIGBUS. Its first bytes are
 * looked at before the rest, so that a film is refused without reading it all. */
#include "engine/file/load.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static ft_status read_all(int fd, uint8_t *bytes, size_t room, size_t *length)
{
    size_t done = 0;
    while (done < room) {
        ssize_t got = read(fd, bytes + done, room - done);
        if (got < 0 && errno != EINTR)
            return FT_ERR_IO;
        if (got == 0)
            break; /* it was cut while it was read */
        done += got < 0 ? 0 : (size_t)got;
    }
    *length = done;
    return FT_OK;
}

/* The size of the open file, if it is one that may be loaded. */
static ft_status find_size(int fd, uint64_t max_bytes, ft_load_is_wanted *is_wanted, size_t *size)
{
    uint8_t head[FT_LOAD_HEAD_BYTES];
    struct stat info;
    if (fstat(fd, &info) != 0)
        return FT_ERR_IO;
    if (!S_ISREG(info.st_mode)) {
        errno = S_ISDIR(info.st_mode) ? EISDIR : 0;
        return FT_ERR_IO;
    }
    ssize_t peeked = pread(fd, head, sizeof head, 0);
    if (peeked < 0)
        return FT_ERR_IO;
    if (peeked == 0 || info.st_size == 0)
        return FT_ERR_EMPTY;
    if (!is_wanted(head, (size_t)peeked))
        return FT_ERR_FOREIGN;
    if ((uint64_t)info.st_size > max_bytes)
        return FT_ERR_LIMIT;
    *size = (size_t)info.st_size;
    return FT_OK;
}

static ft_status load(ft_load *file, int fd, uint64_t max_bytes, ft_load_is_wanted *is_wanted)
{
    size_t size;
    ft_load made = {.mem = file->mem};
    ft_status status = find_size(fd, max_bytes, is_wanted, &size);
    if (status != FT_OK)
        return status;
    made.bytes = ft_mem_resize(made.mem, NULL, size, 1);
    if (made.bytes == NULL)
        return FT_ERR_MEMORY;
    status = read_all(fd, made.bytes, size, &made.length);
    if (status == FT_OK) {
        *file = made;
        return FT_OK;
    }
    int number = errno;
    ft_load_fini(&made);
    errno = number;
    return status;
}

ft_status ft_load_file(ft_load *file, const ft_mem *mem, const char *path, uint64_t max_bytes,
                       ft_load_is_wanted *is_wanted, int *number)
{
    ft_status status = FT_ERR_IO;
    *file = (ft_load){.mem = mem};
    /* O_NONBLOCK: opening a FIFO that nobody writes to must not wait. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0)
        status = load(file, fd, max_bytes, is_wanted);
    *number = errno;
    if (fd >= 0)
        close(fd);
    return status;
}

void ft_load_fini(ft_load *file)
{
    ft_mem_free(file->mem, file->bytes);
    *file = (ft_load){.mem = file->mem};
}
