/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c: memory that outlives the process that writes it (see arena.h). */
#include "engine/record/arena.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static ft_status status_of(int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return FT_ERR_DISK_FULL;
    errno = error;
    return error == ENOMEM ? FT_ERR_MEMORY : FT_ERR_IO;
}

/* An errno. Past the limit of file sizes the kernel would send SIGXFSZ besides. */
static int allocate(int fd, uint64_t offset, uint64_t bytes)
{
    int error;
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        offset + bytes > limit.rlim_cur)
        return EFBIG;
    do
        error = posix_fallocate(fd, (off_t)offset, (off_t)bytes);
    while (error == EINTR);
    return error;
}

/* Allocates and maps [offset, offset + bytes) of the file behind fd, or of plain memory for -1. */
static ft_status map_range(int fd, uint64_t offset, uint64_t bytes, void **mapping)
{
    int error = fd < 0 ? 0 : allocate(fd, offset, bytes);
    if (error != 0)
        return status_of(error);
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : (off_t)offset);
    if (mapped == MAP_FAILED)
        return status_of(errno);
    *mapping = mapped;
    return FT_OK;
}

/* Opens the arena's file again; refuses any other file that has come into its place. */
static ft_status reopen(const ft_arena *arena, int *fd)
{
    struct stat info;
    int opened = open(arena->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0)
        return status_of(errno);
    if (fstat(opened, &info) != 0 || info.st_ino != arena->inode || info.st_dev != arena->device) {
        close(opened);
        return status_of(ESTALE);
    }
    *fd = opened;
    return FT_OK;
}

static ft_status create(ft_arena *arena, const char *path, int *fd)
{
    struct stat info;
    size_t length = strlen(path) + 1;
    arena->path = ft_mem_new(arena->mem, length, 1);
    if (arena->path == NULL)
        return FT_ERR_MEMORY;
    memcpy(arena->path, path, length);
    int opened = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (opened < 0)
        return status_of(errno);
    if (fstat(opened, &info) != 0) {
        int error = errno;
        close(opened);
        return status_of(error);
    }
    arena->device = info.st_dev;
    arena->inode = info.st_ino;
    *fd = opened;
    return FT_OK;
}

static void fill_header(ft_arena_header *header, uint32_t layout)
{
    header->layout = layout;
    header->clock_source = (uint32_t)ft_clock_best();
    header->pid = (uint32_t)getpid();
    header->parent_pid = (uint32_t)getppid();
    header->process_start = ft_arena_process_start(header->pid);
    header->started_unix = ft_clock_ns(CLOCK_REALTIME);
    header->first = ft_clock_read_pair((ft_clock_source)header->clock_source);
    atomic_store(&header->last_ticks, header->first.ticks);
    atomic_store(&header->last_ns, header->first.ns);
    atomic_store(&header->bytes, FT_ARENA_HEADER_BYTES);
    header->magic = FT_ARENA_MAGIC;
}

ft_status ft_arena_open(ft_arena *arena, const ft_mem *mem, const char *path, uint32_t layout)
{
    ft_arena made = {.mem = mem};
    int fd = -1;
    void *header = NULL;
    ft_status status = path == NULL ? FT_OK : create(&made, path, &fd);
    if (status == FT_OK)
        status = map_range(fd, 0, FT_ARENA_HEADER_BYTES, &header);
    if (fd >= 0)
        close(fd);
    if (status != FT_OK) {
        if (fd >= 0)
            unlink(path);
        ft_mem_free(mem, made.path);
        return status;
    }
    made.header = header;
    fill_header(made.header, layout);
    *arena = made;
    return FT_OK;
}

void ft_arena_close(ft_arena *arena)
{
    for (ft_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        munmap(block, block->bytes);
    }
    if (arena->header != NULL)
        munmap(arena->header, FT_ARENA_HEADER_BYTES);
    ft_mem_free(arena->mem, arena->path);
    *arena = (ft_arena){.mem = arena->mem};
}

static uint64_t block_size(uint64_t at_least)
{
    uint64_t size = FT_BLOCK_MIN_BYTES;
    while (size < at_least)
        size *= 2;
    return size;
}

ft_status ft_arena_add_block(ft_arena *arena, ft_block_kind kind, uint32_t owner, uint64_t bytes,
                             ft_block **block)
{
    void *mapping = NULL;
    int fd = -1;
    if (bytes > UINT64_C(1) << 30)
        return FT_ERR_LIMIT;
    uint64_t offset = atomic_load_explicit(&arena->header->bytes, memory_order_relaxed);
    uint64_t size = block_size(bytes);
    ft_status status = arena->path == NULL ? FT_OK : reopen(arena, &fd);
    if (status == FT_OK)
        status = map_range(fd, offset, size, &mapping);
    if (fd >= 0)
        close(fd);
    if (status != FT_OK)
        return status;
    ft_block *made = mapping;
    made->magic = FT_BLOCK_MAGIC;
    made->kind = (uint32_t)kind;
    made->bytes = size;
    made->address = (uint64_t)(uintptr_t)made;
    made->owner = owner;
    made->next = arena->blocks;
    arena->blocks = made;
    atomic_store_explicit(&arena->header->bytes, offset + size, memory_order_release);
    *block = made;
    return FT_OK;
}

void ft_arena_note(ft_arena *arena, uint32_t kind, uint64_t count)
{
    assert(kind < FT_ARENA_NOTES);
    atomic_fetch_add_explicit(&arena->header->notes[kind], count, memory_order_relaxed);
}

/* Numbers first to last of /proc/PID/stat (proc(5); 4 is the first number behind the state) added
 * up; 0 when there is no such process or it is dead. */
static uint64_t sum_of_stat(uint32_t pid, int first, int last)
{
    char path[32], text[1024];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    char *at = strrchr(text, ')'); /* the name may hold blanks and parentheses */
    if (at == NULL || at[1] == '\0' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at = strchr(at + 2, ' ');
    for (int number = 4; at != NULL && number <= last; number++, at = strchr(at + 1, ' '))
        if (number >= first)
            sum += strtoull(at, NULL, 10);
    return sum;
}

uint64_t ft_arena_process_start(uint32_t pid)
{
    return sum_of_stat(pid, 22, 22);
}

uint64_t ft_arena_process_cpu(uint32_t pid)
{
    return sum_of_stat(pid, 14, 15) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}
