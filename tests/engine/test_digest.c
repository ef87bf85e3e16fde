/* SPDX-License-Identifier: Apache-2.0 */
/* test_digest.c: pieces of any size give what all the bytes give at once, and every bit counts. */
#include "engine/store/digest.h"

#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MOST = 5000, ROUNDS = 400 };

static ft_secret secret;

static bool pieces_agree(random_source *source, const uint8_t *bytes, uint32_t length)
{
    ft_digester digester;
    ft_digester_init(&digester, &secret);
    for (uint32_t at = 0; at < length;) {
        uint32_t piece = 1 + random_below(source, random_below(source, 2) ? 20 : MOST);
        piece = piece < length - at ? piece : length - at;
        ft_digester_feed(&digester, bytes + at, piece);
        at += piece;
    }
    return ft_digest_same(ft_digester_result(&digester), ft_digest_of(&secret, bytes, length));
}

int main(void)
{
    random_source source = {1};
    uint8_t bytes[MOST], seed[FT_SEED_BYTES] = {7};
    int wrong = 0, blind = 0;
    ft_secret_init(&secret, seed);
    for (uint32_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)random_next(&source);
    for (int i = 0; i < ROUNDS; i++)
        wrong += !pieces_agree(&source, bytes, random_below(&source, MOST));
    CHECK(wrong == 0);

    ft_digest before = ft_digest_of(&secret, bytes, 100);
    for (uint32_t bit = 0; bit < 800; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        blind += ft_digest_same(before, ft_digest_of(&secret, bytes, 100));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(blind == 0);

    ft_secret other;
    seed[0] = 8;
    ft_secret_init(&other, seed);
    CHECK(!ft_digest_same(before, ft_digest_of(&other, bytes, 100)));
    return tap_end();
}
