/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h: which process computes which key.
 *
 * A claim is an fcntl lock on one byte of the file "claims", at an offset that the key says: the
 * kernel ends it with its process, however that ends; a fork does not inherit it; and it tells
 * whose it is. A process that waits for another one's claim says so by such a lock too, at an
 * offset that its pid says: whoever waits for it while it computes something itself can see that
 * the two may wait for each other. */
#ifndef FT_STORE_CLAIMS_H
#define FT_STORE_CLAIMS_H

#include "engine/store/folder.h"
#include "engine/store/store.h"

#include <pthread.h>

typedef struct ft_claims {
    int fd;               /* -1: claims can not be made here */
    pthread_mutex_t lock; /* of waiting */
    unsigned waiting;     /* so many threads wait: the byte says that any does */
} ft_claims;

/* No claims yet; ended by _fini. */
void ft_claims_init(ft_claims *claims);
void ft_claims_fini(ft_claims *claims);

void ft_claims_open(ft_claims *claims, const ft_folder *folder);
void ft_claims_close(ft_claims *claims); /* ends this process's claims */

ft_claim ft_claims_take(const ft_claims *claims, ft_digest key);
void ft_claims_drop(const ft_claims *claims, ft_digest key);
void ft_claims_wait(ft_claims *claims, bool waits);

/* The processor time that whoever has the claim has used, in ns; UINT64_MAX: nobody can tell. */
uint64_t ft_claims_owner_cpu(const ft_claims *claims, ft_digest key);

#endif
