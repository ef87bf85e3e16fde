/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h: the names of the functions whose results a store holds, and what became of their
 * calls.
 *
 * A file of records of 512 bytes, each with a checksum; a damaged one is left out, and its name is
 * written again when the function is next used. Writing needs the store's lock. */
#ifndef FT_STORE_FUNCTIONS_H
#define FT_STORE_FUNCTIONS_H

#include "engine/store/folder.h"
#include "engine/store/store.h"

enum { FT_FUNCTIONS_MOST = 1 << 16 };

/* Is a function of that id there? */
bool ft_functions_have(const ft_folder *folder, uint64_t id);
ft_status ft_functions_add(const ft_folder *folder, uint64_t id, const char *name);
ft_status ft_functions_count(const ft_folder *folder, uint64_t id, uint64_t hits, uint64_t misses,
                             uint64_t saved_ns);
void ft_functions_each(const ft_folder *folder,
                       bool (*told)(void *context, const ft_kept_function *function),
                       void *context);
void ft_functions_remove_all(const ft_folder *folder);

#endif
