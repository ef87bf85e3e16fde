/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: 128-bit digests of bytes under a secret: XXH3, fed in pieces.
 *
 * The secret is a store's own, so nobody can prepare two keys that collide. Digests of one secret
 * are the same on every machine of one byte order, for ever: they are kept in files. Whoever feeds
 * a digest makes what it feeds unambiguous (lengths before texts). */
#ifndef FT_STORE_DIGEST_H
#define FT_STORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct ft_digest {
    uint64_t low, high;
} ft_digest;

enum { FT_SEED_BYTES = 32, FT_SECRET_BYTES = 192 };

/* A secret, grown from a seed of random bytes. */
typedef struct ft_secret {
    uint8_t bytes[FT_SECRET_BYTES];
} ft_secret;

static inline void ft_secret_init(ft_secret *secret, const uint8_t seed[FT_SEED_BYTES])
{
    XXH3_generateSecret(secret->bytes, sizeof secret->bytes, seed, FT_SEED_BYTES);
}

static inline bool ft_digest_same(ft_digest one, ft_digest other)
{
    return one.low == other.low && one.high == other.high;
}

static inline ft_digest ft_digest_of(const ft_secret *secret, const void *bytes, size_t length)
{
    XXH128_hash_t hash =
        XXH3_128bits_withSecret(bytes, length, secret->bytes, sizeof secret->bytes);
    return (ft_digest){hash.low64, hash.high64};
}

/* 64 bits of the same family, for checksums. */
static inline uint64_t ft_checksum_of(const ft_secret *secret, const void *bytes, size_t length)
{
    return XXH3_64bits_withSecret(bytes, length, secret->bytes, sizeof secret->bytes);
}

/* Few bytes are gathered and digested in one go; more of them flow through a stream. Both give
 * what ft_digest_of gives of all the bytes. */
enum { FT_DIGEST_GATHERED = 512 };

typedef struct ft_digester {
    const ft_secret *secret; /* borrowed */
    uint32_t gathered;       /* bytes in few that no stream has seen */
    bool streams;            /* stream is begun */
    uint8_t few[FT_DIGEST_GATHERED];
    XXH3_state_t stream;
} ft_digester;

static inline void ft_digester_init(ft_digester *digester, const ft_secret *secret)
{
    digester->secret = secret;
    digester->gathered = 0;
    digester->streams = false;
}

/* Out of line, since rare: gives what was gathered, and bytes, to the stream. */
void ft_digester_flow(ft_digester *digester, const void *bytes, size_t length);

static inline void ft_digester_feed(ft_digester *digester, const void *bytes, size_t length)
{
    if (length > FT_DIGEST_GATHERED - digester->gathered) {
        ft_digester_flow(digester, bytes, length);
        return;
    }
    memcpy(digester->few + digester->gathered, bytes, length);
    digester->gathered += (uint32_t)length;
}

/* What was fed so far; more may be fed after. */
ft_digest ft_digester_result(ft_digester *digester);

#endif
