/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: opening a store, its lock, functions and claims. */
#include "engine/store/store.h"

#include "engine/store/functions.h"
#include "engine/store/store_parts.h"

#include <errno.h>
#include <string.h>

enum { FIRST_BITS = 6 /* of an index: 1024 slots */ };

/* ---- troubles ---- */

void ft_store_say(ft_store *store, ft_store_trouble trouble)
{
    atomic_fetch_or_explicit(&store->troubles, (unsigned)trouble, memory_order_relaxed);
}

void ft_store_trouble_of(ft_store *store, ft_status status)
{
    if (status == FT_ERR_DISK_FULL)
        ft_store_say(store, FT_TROUBLE_FULL);
    else if (status == FT_ERR_CORRUPT)
        ft_store_say(store, FT_TROUBLE_CORRUPT);
    else if (status == FT_ERR_NEWER)
        ft_store_say(store, FT_TROUBLE_NEWER);
    else if (status == FT_ERR_IO && errno == EWOULDBLOCK)
        ft_store_say(store, FT_TROUBLE_LOCK);
    else if (status == FT_ERR_IO && errno == EPERM) /* of ft_folder_file */
        ft_store_say(store, FT_TROUBLE_FOREIGN);
    else if (status == FT_ERR_IO) {
        atomic_store_explicit(&store->error, errno, memory_order_relaxed);
        ft_store_say(store, FT_TROUBLE_IO);
    }
}

uint32_t ft_store_take_troubles(ft_store *store)
{
    return atomic_exchange_explicit(&store->troubles, 0, memory_order_relaxed);
}

int ft_store_errno(const ft_store *store)
{
    return atomic_load_explicit(&store->error, memory_order_relaxed);
}

bool ft_store_usable(const ft_store *store)
{
    return store->usable;
}

const ft_secret *ft_store_secret(const ft_store *store)
{
    return &store->folder.secret;
}

/* ---- opening ---- */

/* Everything goes: a store whose head or index is not to be believed. Holds the lock. */
static ft_status remove_segment(void *context, uint32_t number)
{
    ft_store *store = context;
    ft_segments_remove(&store->writer.segments, &store->folder, number);
    return FT_OK;
}

ft_status ft_store_start_over(ft_store *store)
{
    ft_status status = ft_slots_make(&store->folder, FIRST_BITS);
    (void)ft_segments_each(&store->folder, remove_segment, store);
    ft_blobs_sweep(&store->folder, true, NULL, NULL);
    return status == FT_OK ? FT_OK : ft_slots_make(&store->folder, FIRST_BITS);
}

static void close_files(ft_files *files)
{
    ft_slots_close(&files->slots);
    ft_segments_fini(&files->segments);
}

ft_status ft_store_reopen(ft_store *store)
{
    pthread_rwlock_wrlock(&store->files);
    close_files(&store->reader);
    ft_recent_clear(store->recent);
    ft_status status = ft_slots_open(&store->reader.slots, &store->folder, store->writable);
    pthread_rwlock_unlock(&store->files);
    return status;
}

ft_status ft_store_renew(ft_store *store)
{
    close_files(&store->writer);
    return ft_slots_open(&store->writer.slots, &store->folder, true);
}

/* The index as it is now, made where there is none. Holds the lock. */
static ft_status make_current(ft_store *store)
{
    if (ft_slots_current(&store->writer.slots, &store->folder))
        return FT_OK;
    ft_status status = ft_folder_confirm(&store->folder);
    if (status != FT_OK)
        return status;
    ft_slots_finish_replacing(&store->folder);
    status = ft_store_renew(store);
    if (status != FT_ERR_EMPTY && status != FT_ERR_CORRUPT)
        return status;
    if (status == FT_ERR_CORRUPT)
        ft_store_say(store, FT_TROUBLE_CORRUPT);
    status = ft_store_start_over(store);
    return status == FT_OK ? ft_store_renew(store) : status;
}

/* Wrong totals would only make the store larger or smaller than it should be: count again. */
static ft_status read_totals(ft_store *store, ft_totals *totals)
{
    ft_status status = ft_slots_totals(&store->writer.slots, &store->folder.secret, totals);
    if (status != FT_ERR_CORRUPT)
        return status;
    ft_store_say(store, FT_TROUBLE_CORRUPT);
    memset(totals, 0, sizeof *totals);
    const ft_bounds none = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    return ft_store_trim(store, totals, &none, 0, NULL);
}

ft_status ft_store_begin(ft_store *store, int patience_ms, ft_totals *totals)
{
    if (!store->writable)
        return FT_ERR_IO;
    pthread_mutex_lock(&store->writing);
    ft_status status = FT_OK;
    if (!ft_folder_lock(&store->folder, patience_ms)) {
        status = FT_ERR_IO;
    } else {
        status = make_current(store);
        if (status == FT_OK && totals != NULL)
            status = read_totals(store, totals);
        if (status != FT_OK) {
            int why = errno;
            ft_folder_unlock(&store->folder);
            errno = why;
        }
    }
    if (status == FT_ERR_FOREIGN) { /* another store lies there now, under another secret */
        store->usable = store->writable = false;
        status = FT_ERR_CORRUPT;
    }
    if (status != FT_OK) {
        ft_store_trouble_of(store, status);
        pthread_mutex_unlock(&store->writing);
    }
    return status;
}

void ft_store_end(ft_store *store)
{
    ft_folder_unlock(&store->folder);
    pthread_mutex_unlock(&store->writing);
}

/* What there is of the files of a folder that can be used. */
static ft_status open_files(ft_store *store)
{
    store->writable = store->folder.lock >= 0;
    if (store->writable) {
        ft_claims_open(&store->claims, &store->folder);
        if (ft_store_begin(store, FT_WRITERS_PATIENCE_MS, NULL) == FT_OK)
            ft_store_end(store); /* an index of another head was made anew */
    } else {
        ft_store_say(store, FT_TROUBLE_READ_ONLY);
    }
    ft_status status = ft_store_reopen(store);
    ft_store_trouble_of(store, status);
    store->usable = status == FT_OK;
    store->writable = store->writable && store->usable;
    return FT_OK;
}

static ft_status open_parts(ft_store *store, const char *path)
{
    ft_folder_state state;
    ft_status status = ft_folder_open(&store->folder, path, &state);
    if (status != FT_OK)
        return status;
    if (state == FT_FOLDER_NEWER || state == FT_FOLDER_FOREIGN) {
        ft_store_say(store, state == FT_FOLDER_NEWER ? FT_TROUBLE_NEWER : FT_TROUBLE_FOREIGN);
        return FT_OK;
    }
    if (state == FT_FOLDER_DAMAGED)
        ft_store_say(store, FT_TROUBLE_CORRUPT);
    return open_files(store);
}

/* Who waits to open a file goes before more readers: else it could wait for ever. */
static void files_lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
}

ft_status ft_store_open(ft_store **result, const char *folder, uint64_t max_bytes,
                        const ft_mem *mem)
{
    ft_store *store = ft_mem_new(mem, 1, sizeof *store);
    if (store == NULL)
        return FT_ERR_MEMORY;
    store->mem = mem;
    store->max_bytes = max_bytes;
    store->folder.fd = store->folder.lock = -1;
    ft_claims_init(&store->claims);
    store->reader.slots.fd = store->writer.slots.fd = -1;
    ft_segments_init(&store->reader.segments);
    ft_segments_init(&store->writer.segments);
    pthread_mutex_init(&store->writing, NULL);
    files_lock_init(&store->files);
    ft_status status = ft_blobs_init(&store->blobs, mem);
    store->mappings = ft_mappings_new(mem);
    store->recent = ft_recent_new(mem);
    if (store->mappings == NULL || store->recent == NULL)
        status = FT_ERR_MEMORY;
    if (status == FT_OK)
        status = open_parts(store, folder);
    if (status != FT_OK) {
        int why = errno;
        ft_store_close(store);
        errno = why;
        return status;
    }
    *result = store;
    return FT_OK;
}

void ft_store_close(ft_store *store)
{
    if (store == NULL)
        return;
    close_files(&store->reader);
    close_files(&store->writer);
    ft_claims_fini(&store->claims);
    ft_mappings_close(store->mappings);
    ft_mem_free(store->mem, store->recent);
    ft_blobs_fini(&store->blobs);
    ft_folder_close(&store->folder);
    pthread_rwlock_destroy(&store->files);
    pthread_mutex_destroy(&store->writing);
    ft_mem_free(store->mem, store);
}

void ft_store_abandon(ft_store *store)
{
    store->usable = store->writable = false;
    close_files(&store->reader);
    close_files(&store->writer);
    ft_claims_close(&store->claims);
    ft_folder_close(&store->folder);
}

/* ---- functions ---- */

static uint64_t id_of(const ft_store *store, const char *name)
{
    ft_digest digest = ft_digest_of(&store->folder.secret, name, strlen(name));
    return (uint32_t)digest.low == 0 ? digest.low | 1 : digest.low; /* slots know this half */
}

ft_status ft_store_name_function(ft_store *store, const char *name, uint64_t *id)
{
    *id = id_of(store, name);
    if (!store->writable || ft_functions_have(&store->folder, *id) ||
        ft_store_begin(store, FT_WRITERS_PATIENCE_MS, NULL) != FT_OK)
        return FT_OK;
    ft_store_trouble_of(store, ft_functions_add(&store->folder, *id, name));
    ft_store_end(store);
    return FT_OK;
}

ft_status ft_store_each_function(ft_store *store,
                                 bool (*told)(void *context, const ft_kept_function *function),
                                 void *context)
{
    if (store->usable)
        ft_functions_each(&store->folder, told, context);
    return FT_OK;
}

ft_status ft_store_count(ft_store *store, const char *name, uint64_t hits, uint64_t misses,
                         uint64_t saved_ns)
{
    uint64_t id = id_of(store, name);
    if (ft_store_begin(store, FT_WRITERS_PATIENCE_MS, NULL) != FT_OK)
        return FT_OK;
    ft_status status = ft_functions_count(&store->folder, id, hits, misses, saved_ns);
    if (status != FT_OK && ft_functions_add(&store->folder, id, name) == FT_OK)
        status = ft_functions_count(&store->folder, id, hits, misses, saved_ns);
    ft_store_trouble_of(store, status);
    ft_store_end(store);
    return FT_OK;
}

/* ---- claims ---- */

ft_claim ft_store_claim(ft_store *store, ft_digest key)
{
    return ft_claims_take(&store->claims, key);
}

void ft_store_release(ft_store *store, ft_digest key)
{
    ft_claims_drop(&store->claims, key);
}

void ft_store_wait_begin(ft_store *store)
{
    ft_claims_wait(&store->claims, true);
}

void ft_store_wait_end(ft_store *store)
{
    ft_claims_wait(&store->claims, false);
}

uint64_t ft_store_owner_cpu(ft_store *store, ft_digest key)
{
    return ft_claims_owner_cpu(&store->claims, key);
}
