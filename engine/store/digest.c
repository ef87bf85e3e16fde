/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: digests of more than a few bytes. */
#include "engine/store/digest.h"

void ft_digester_flow(ft_digester *digester, const void *bytes, size_t length)
{
    if (!digester->streams) {
        XXH3_128bits_reset_withSecret(&digester->stream, digester->secret->bytes,
                                      sizeof digester->secret->bytes);
        digester->streams = true;
    }
    XXH3_128bits_update(&digester->stream, digester->few, digester->gathered);
    digester->gathered = 0;
    XXH3_128bits_update(&digester->stream, bytes, length);
}

ft_digest ft_digester_result(ft_digester *digester)
{
    if (!digester->streams)
        return ft_digest_of(digester->secret, digester->few, digester->gathered);
    ft_digester_flow(digester, NULL, 0);
    XXH128_hash_t hash = XXH3_128bits_digest(&digester->stream);
    return (ft_digest){hash.low64, hash.high64};
}
