/* SPDX-License-Identifier: Apache-2.0 */
/* segments.c: files of entries. */
#include "engine/store/segments.h"

#include "engine/store/slots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_BYTES = 24 };

static void name_of(char name[NAME_BYTES], uint32_t number)
{
    snprintf(name, NAME_BYTES, "%08x.log", number);
}

void ft_segments_init(ft_segments *segments)
{
    for (int i = 0; i < FT_SEGMENTS_OPEN; i++)
        segments->open[i].number = 0, segments->open[i].fd = -1;
}

void ft_segments_fini(ft_segments *segments)
{
    for (int i = 0; i < FT_SEGMENTS_OPEN; i++)
        if (segments->open[i].fd >= 0)
            close(segments->open[i].fd);
    ft_segments_init(segments);
}

int ft_segments_get(const ft_segments *segments, uint32_t number)
{
    uint32_t at = number % FT_SEGMENTS_OPEN;
    return segments->open[at].number == number ? segments->open[at].fd : -1;
}

int ft_segments_open(ft_segments *segments, const ft_folder *folder, uint32_t number, bool writable,
                     bool make)
{
    char name[NAME_BYTES];
    uint32_t at = number % FT_SEGMENTS_OPEN;
    name_of(name, number);
    int fd = ft_folder_file(folder, name, (writable ? O_RDWR : O_RDONLY) | (make ? O_CREAT : 0));
    if (fd < 0)
        return -1;
    if (segments->open[at].fd >= 0)
        close(segments->open[at].fd);
    segments->open[at].number = number;
    segments->open[at].fd = fd;
    return fd;
}

void ft_segments_forget(ft_segments *segments, uint32_t number)
{
    uint32_t at = number % FT_SEGMENTS_OPEN;
    if (segments->open[at].number != number)
        return;
    close(segments->open[at].fd);
    segments->open[at].number = 0;
    segments->open[at].fd = -1;
}

void ft_segments_remove(ft_segments *segments, const ft_folder *folder, uint32_t number)
{
    char name[NAME_BYTES];
    name_of(name, number);
    ft_segments_forget(segments, number);
    int fd = ft_folder_file(folder, name, O_RDWR);
    if (fd >= 0) {
        (void)!ftruncate(fd, 0);
        close(fd);
    }
    unlinkat(folder->fd, name, 0);
}

uint64_t ft_segment_bytes(const ft_folder *folder, uint32_t number)
{
    char name[NAME_BYTES];
    struct stat is;
    name_of(name, number);
    return fstatat(folder->fd, name, &is, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)is.st_size : 0;
}

static uint64_t entry_check(const uint8_t *entry, uint32_t body, const ft_secret *secret)
{
    const size_t from = offsetof(ft_entry_head, key);
    return ft_checksum_of(secret, entry + from, FT_BODY_AT - from + body) ^
           ft_checksum_of(secret, entry, offsetof(ft_entry_head, check));
}

void ft_entry_seal(uint8_t *entry, const ft_secret *secret)
{
    ft_entry_head head;
    memcpy(&head, entry, sizeof head);
    head.check = entry_check(entry, head.body, secret);
    memcpy(entry, &head, sizeof head);
}

bool ft_entry_good(const uint8_t *entry, size_t bytes, ft_digest key, const ft_secret *secret)
{
    ft_entry_head head;
    if (bytes < FT_BODY_AT)
        return false;
    memcpy(&head, entry, sizeof head);
    return head.magic == FT_ENTRY_MAGIC && head.version == FT_ENTRY_VERSION &&
           head.body <= bytes - FT_BODY_AT && ft_digest_same(head.key, key) &&
           head.check == entry_check(entry, head.body, secret);
}

/* The number that a file name says; 0: it is no segment's. */
static uint32_t number_of(const char *name)
{
    char *end, again[NAME_BYTES];
    unsigned long number = strtoul(name, &end, 16);
    if (number == 0 || number > FT_SEGMENT_MOST)
        return 0;
    name_of(again, (uint32_t)number);
    return strcmp(again, name) == 0 ? (uint32_t)number : 0;
}

ft_status ft_segments_each(const ft_folder *folder,
                           ft_status (*told)(void *context, uint32_t number), void *context)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    ft_status status = FT_OK;
    if (listing == NULL) {
        if (fd >= 0)
            close(fd);
        return FT_ERR_IO;
    }
    for (const struct dirent *file; status == FT_OK && (file = readdir(listing)) != NULL;) {
        uint32_t number = number_of(file->d_name);
        if (number != 0)
            status = told(context, number);
    }
    closedir(listing);
    return status;
}
