/* SPDX-License-Identifier: Apache-2.0 */
/* test_mem.c: the door to the heap: zeroed blocks, refused products, kept contents. */
#include "engine/base/mem.h"

#include <stdint.h>
#include <string.h>

#include "engine/base/status.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/tap.h"

static int all_zero(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return 0;
    return 1;
}

static void test_new_is_zeroed(void)
{
    /* Dirty a block of the same size first, so that zeroes do not come by luck. */
    unsigned char *block = ft_mem_new(&ft_mem_system, 100, 3);
    REQUIRE(block != NULL);
    CHECK(all_zero(block, 300));
    memset(block, 0xa5, 300);
    ft_mem_free(&ft_mem_system, block);
    block = ft_mem_new(&ft_mem_system, 3, 100);
    REQUIRE(block != NULL);
    CHECK(all_zero(block, 300));
    ft_mem_free(&ft_mem_system, block);
}

static void test_refused_sizes(void)
{
    failing_mem state;
    failing_mem_init(&state, 1000);
    CHECK(ft_mem_new(&state.mem, 0, 8) == NULL);
    CHECK(ft_mem_new(&state.mem, 8, 0) == NULL);
    CHECK(ft_mem_new(&state.mem, SIZE_MAX, 2) == NULL);
    CHECK(ft_mem_new(&state.mem, SIZE_MAX / 2 + 1, 2) == NULL); /* the product wraps to 0 */
    CHECK(ft_mem_resize(&state.mem, NULL, SIZE_MAX / 8 + 2, 8) == NULL); /* ... and to 8 */
    CHECK(state.left == 1000); /* the heap was never asked */

    char *block = ft_mem_resize(&state.mem, NULL, 4, 1);
    REQUIRE(block != NULL);
    memcpy(block, "abc", 4);
    CHECK(ft_mem_resize(&state.mem, block, 0, 1) == NULL); /* not a free */
    CHECK(state.live == 1 && strcmp(block, "abc") == 0);
    ft_mem_free(&state.mem, block);
    CHECK(state.live == 0);
}

static void test_resize_keeps(void)
{
    failing_mem state;
    failing_mem_init(&state, 2);
    char *block = ft_mem_resize(&state.mem, NULL, 6, 1);
    REQUIRE(block != NULL);
    memcpy(block, "hello", 6);
    block = ft_mem_resize(&state.mem, block, 1000, 10);
    REQUIRE(block != NULL);
    CHECK(strcmp(block, "hello") == 0);
    CHECK(ft_mem_resize(&state.mem, block, 5000, 10) == NULL); /* the third is refused */
    CHECK(state.failed && state.live == 1 && strcmp(block, "hello") == 0);
    ft_mem_free(&state.mem, block);
    ft_mem_free(&state.mem, NULL);
    CHECK(state.live == 0);
}

static void test_status_texts(void)
{
    int distinct = 1;
    for (int status = FT_OK; status <= FT_ERR_LIMIT; status++)
        for (int other = status + 1; other <= FT_ERR_LIMIT + 1; other++) /* the last is unknown */
            distinct &=
                strcmp(ft_status_text((ft_status)status), ft_status_text((ft_status)other)) != 0;
    CHECK(distinct);
    CHECK(strcmp(ft_status_text(FT_OK), "ok") == 0);
    CHECK(ft_status_text((ft_status)12345) != NULL);
}

int main(void)
{
    test_new_is_zeroed();
    test_refused_sizes();
    test_resize_keeps();
    test_status_texts();
    return tap_end();
}
