/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h: the one door to the heap.
 *
 * An allocator is a value that the owner of a structure passes down, so that a test can make
 * each allocation fail in turn without any global switch. A structure keeps the pointer it was
 * given; the allocator must outlive it. */
#ifndef FT_BASE_MEM_H
#define FT_BASE_MEM_H

#include <stddef.h>

typedef struct ft_mem {
    /* resize(context, NULL, n): allocate n > 0 bytes. resize(context, block, n): move or grow,
     * the old block stays valid on failure. resize(context, block, 0): free, returns NULL. */
    void *(*resize)(void *context, void *block, size_t bytes);
    void *context;
} ft_mem;

/* The C library's heap. Thread-safe. */
extern const ft_mem ft_mem_system;

/* count * size zeroed bytes; NULL when that overflows, is zero or memory is out.
 * The caller owns the block and frees it with ft_mem_free. */
void *ft_mem_new(const ft_mem *mem, size_t count, size_t size);

/* block resized to count * size bytes, new bytes not zeroed; NULL (block untouched) when that
 * overflows, is zero or memory is out. block may be NULL. */
void *ft_mem_resize(const ft_mem *mem, void *block, size_t count, size_t size);

/* block may be NULL. */
void ft_mem_free(const ft_mem *mem, void *block);

#endif
