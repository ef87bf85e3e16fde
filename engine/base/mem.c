/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c: the one door to the heap (see mem.h). */
#include "engine/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *system_resize(void *context, void *block, size_t bytes)
{
    (void)context;
    if (bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, bytes);
}

const ft_mem ft_mem_system = {system_resize, NULL};

void *ft_mem_resize(const ft_mem *mem, void *block, size_t count, size_t size)
{
    if (count == 0 || size == 0 || count > SIZE_MAX / size)
        return NULL;
    return mem->resize(mem->context, block, count * size);
}

void *ft_mem_new(const ft_mem *mem, size_t count, size_t size)
{
    void *block = ft_mem_resize(mem, NULL, count, size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void ft_mem_free(const ft_mem *mem, void *block)
{
    if (block != NULL)
        mem->resize(mem->context, block, 0);
}
