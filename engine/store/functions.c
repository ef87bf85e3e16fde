/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c: names and counts of functions, in a file. */
#include "engine/store/functions.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct record {
    uint64_t check; /* of all after */
    ft_kept_function is;
    uint8_t reserved[512 - 8 - sizeof(ft_kept_function)];
} record;

_Static_assert(sizeof(record) == 512, "as it is written");

static uint64_t record_check(const ft_folder *folder, const record *of)
{
    const size_t from = offsetof(record, is);
    return ft_checksum_of(&folder->secret, (const uint8_t *)of + from, sizeof *of - from);
}

/* Record number at, false where the file ends; a damaged one has id 0. */
static bool record_read(const ft_folder *folder, int fd, uint64_t at, record *result)
{
    if (at >= FT_FUNCTIONS_MOST ||
        ft_read_at(fd, result, sizeof *result, at * sizeof *result) != (ssize_t)sizeof *result)
        return false;
    if (result->check != record_check(folder, result) ||
        result->is.name[FT_STORE_NAME_MOST - 1] != 0)
        result->is.id = 0;
    return true;
}

static ft_status record_write(const ft_folder *folder, int fd, uint64_t at, record *is)
{
    is->check = record_check(folder, is);
    return ft_write_at(fd, is, sizeof *is, at * sizeof *is);
}

/* Where the record of id is, or the end of the file. */
static bool record_find(const ft_folder *folder, int fd, uint64_t id, uint64_t *at, record *is)
{
    for (*at = 0; record_read(folder, fd, *at, is); (*at)++)
        if (is->is.id == id)
            return true;
    return false;
}

bool ft_functions_have(const ft_folder *folder, uint64_t id)
{
    record is;
    uint64_t at;
    int fd = ft_folder_file(folder, "functions", O_RDONLY);
    if (fd < 0)
        return false;
    bool there = record_find(folder, fd, id, &at, &is);
    close(fd);
    return there;
}

/* As much of a name as there is room for, in whole characters. */
static void copy_name(char to[FT_STORE_NAME_MOST], const char *name)
{
    size_t length = strlen(name);
    if (length >= FT_STORE_NAME_MOST) {
        length = FT_STORE_NAME_MOST - 1;
        while (length > 0 && ((uint8_t)name[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(to, name, length);
    to[length] = 0;
}

ft_status ft_functions_add(const ft_folder *folder, uint64_t id, const char *name)
{
    record is;
    uint64_t at;
    int fd = ft_folder_file(folder, "functions", O_RDWR | O_CREAT);
    if (fd < 0)
        return FT_ERR_IO;
    ft_status status = FT_OK;
    if (!record_find(folder, fd, id, &at, &is)) {
        memset(&is, 0, sizeof is);
        is.is.id = id;
        copy_name(is.is.name, name);
        status = at < FT_FUNCTIONS_MOST ? record_write(folder, fd, at, &is) : FT_ERR_LIMIT;
    }
    close(fd);
    return status;
}

ft_status ft_functions_count(const ft_folder *folder, uint64_t id, uint64_t hits, uint64_t misses,
                             uint64_t saved_ns)
{
    record is;
    uint64_t at;
    int fd = ft_folder_file(folder, "functions", O_RDWR);
    if (fd < 0)
        return FT_ERR_IO;
    ft_status status = FT_ERR_EMPTY;
    if (record_find(folder, fd, id, &at, &is)) {
        is.is.hits += hits;
        is.is.misses += misses;
        is.is.saved_ns += saved_ns;
        status = record_write(folder, fd, at, &is);
    }
    close(fd);
    return status;
}

void ft_functions_each(const ft_folder *folder,
                       bool (*told)(void *context, const ft_kept_function *function), void *context)
{
    record is;
    int fd = ft_folder_file(folder, "functions", O_RDONLY);
    if (fd < 0)
        return;
    for (uint64_t at = 0; record_read(folder, fd, at, &is); at++)
        if (is.is.id != 0 && !told(context, &is.is))
            break;
    close(fd);
}

void ft_functions_remove_all(const ft_folder *folder)
{
    unlinkat(folder->fd, "functions", 0);
}
