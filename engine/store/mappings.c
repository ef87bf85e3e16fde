/* SPDX-License-Identifier: Apache-2.0 */
/* mappings.c: see mappings.h. */
#include "engine/store/mappings.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

static const uint64_t LARGEST = 256 << 20; /* bytes of a mapping that is kept */

struct ft_mappings {
    const ft_mem *mem;
    atomic_uint holders;  /* the store, and each mapping that is given out */
    pthread_mutex_t lock; /* of the rest; only ever tried */
    bool closed;
    unsigned next;                      /* whose turn it is to go */
    ft_mapping *kept[FT_MAPPINGS_KEPT]; /* or NULL */
};

ft_mappings *ft_mappings_new(const ft_mem *mem)
{
    ft_mappings *all = ft_mem_new(mem, 1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->mem = mem;
    atomic_init(&all->holders, 1);
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

static void end(ft_mapping *mapping)
{
    if (mapping == NULL)
        return;
    munmap(mapping->bytes, mapping->blob.name.bytes);
    ft_mem_free(mapping->all->mem, mapping);
}

static void let_go(ft_mappings *all)
{
    if (atomic_fetch_sub_explicit(&all->holders, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < FT_MAPPINGS_KEPT; i++) /* what came back while it was closed */
        end(all->kept[i]);
    pthread_mutex_destroy(&all->lock);
    ft_mem_free(all->mem, all);
}

void ft_mappings_close(ft_mappings *all)
{
    if (all == NULL)
        return;
    if (pthread_mutex_trylock(&all->lock) == 0) {
        all->closed = true;
        for (int i = 0; i < FT_MAPPINGS_KEPT; i++) {
            end(all->kept[i]);
            all->kept[i] = NULL;
        }
        pthread_mutex_unlock(&all->lock);
    }
    let_go(all);
}

static bool is_of(const ft_mapping *mapping, const ft_blob *blob)
{
    return mapping != NULL && ft_digest_same(mapping->blob.key, blob->key) &&
           ft_digest_same(mapping->blob.name.content, blob->name.content) &&
           mapping->blob.name.bytes == blob->name.bytes;
}

ft_mapping *ft_mappings_take(ft_mappings *all, const ft_folder *folder, const ft_blob *blob)
{
    ft_mapping *found = NULL;
    uint64_t sight;
    if (pthread_mutex_trylock(&all->lock) != 0)
        return NULL;
    for (int i = 0; i < FT_MAPPINGS_KEPT && found == NULL; i++)
        if (is_of(all->kept[i], blob)) {
            found = all->kept[i];
            all->kept[i] = NULL;
        }
    pthread_mutex_unlock(&all->lock);
    if (found == NULL)
        return NULL;
    if (!ft_blob_sight(folder, blob, &sight) || sight != found->sight) {
        end(found);
        return NULL;
    }
    atomic_fetch_add_explicit(&all->holders, 1, memory_order_relaxed);
    return found;
}

ft_mapping *ft_mappings_add(ft_mappings *all, const ft_blob *blob, uint64_t sight, uint8_t *bytes)
{
#ifdef __linux__ /* where MADV_DONTNEED drops what was written */
    ft_mapping *mapping =
        blob->name.bytes > LARGEST ? NULL : ft_mem_new(all->mem, 1, sizeof *mapping);
    if (mapping == NULL)
        return NULL;
    *mapping = (ft_mapping){all, *blob, sight, bytes};
    atomic_fetch_add_explicit(&all->holders, 1, memory_order_relaxed);
    return mapping;
#else
    (void)all, (void)blob, (void)sight, (void)bytes;
    return NULL;
#endif
}

void ft_mapping_give_back(ft_mapping *mapping)
{
    ft_mappings *all = mapping->all;
    ft_mapping *goes = mapping;
    if (madvise(mapping->bytes, mapping->blob.name.bytes, MADV_DONTNEED) == 0 &&
        pthread_mutex_trylock(&all->lock) == 0) {
        if (!all->closed) {
            unsigned at = all->next;
            for (unsigned i = 0; i < FT_MAPPINGS_KEPT; i++)
                at = all->kept[at] == NULL ? at : (at + 1) % FT_MAPPINGS_KEPT;
            goes = all->kept[at];
            all->kept[at] = mapping;
            all->next = (at + 1) % FT_MAPPINGS_KEPT;
        }
        pthread_mutex_unlock(&all->lock);
    }
    end(goes);
    let_go(all);
}
