/* SPDX-License-Identifier: Apache-2.0 */
/* allocators.c: hooks of ours in front of Python's allocators (see allocators.h). */
#include "glue/probes/allocators.h"

static const PyMemAllocatorDomain domains[FT_ALLOCATORS] = {
    [FT_RAW] = PYMEM_DOMAIN_RAW, [FT_MEM] = PYMEM_DOMAIN_MEM, [FT_OBJECT] = PYMEM_DOMAIN_OBJ};

/* A large block of one is a block of FT_RAW, too: each hook says for itself that it heard. */
bool ft_allocators_is_heard(ft_allocators *allocators, ft_allocator of)
{
    enum { BYTES = 1024 };
    void *block = NULL;
    allocators->heard[of] = false;
    allocators->probing = true;
    if (of == FT_RAW)
        PyMem_RawFree(block = PyMem_RawMalloc(BYTES));
    else if (of == FT_MEM)
        PyMem_Free(block = PyMem_Malloc(BYTES));
    else
        PyObject_Free(block = PyObject_Malloc(BYTES));
    allocators->probing = false;
    return allocators->heard[of] || block == NULL;
}

/* The context stays the original's: whoever reads the allocator while it changes calls one of the
 * two, and both take it. */
static void install(ft_allocators *allocators, ft_allocator of, PyMemAllocatorEx hook)
{
    PyMem_GetAllocator(domains[of], &allocators->originals[of]);
    hook.ctx = allocators->originals[of].ctx;
    PyMem_SetAllocator(domains[of], &hook);
    allocators->installed[of] = true;
}

void ft_allocators_install(ft_allocators *allocators, const PyMemAllocatorEx *ours)
{
    for (ft_allocator of = FT_RAW; of < FT_ALLOCATORS; of++)
        if (!allocators->installed[of] || !ft_allocators_is_heard(allocators, of))
            install(allocators, of, ours[of]);
}

void ft_allocators_uninstall(ft_allocators *allocators, const PyMemAllocatorEx *ours)
{
    for (ft_allocator of = FT_MEM; of < FT_ALLOCATORS; of++) {
        PyMemAllocatorEx present;
        PyMem_GetAllocator(domains[of], &present);
        if (!allocators->installed[of] || present.malloc != ours[of].malloc)
            continue;
        PyMem_SetAllocator(domains[of], &allocators->originals[of]);
        allocators->installed[of] = false;
    }
}
