/* SPDX-License-Identifier: Apache-2.0 */
/* test_buf.c: the growing array of bytes: what is put is there, and errors stay. */
#include "engine/base/buf.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static int holds(const ft_buf *buf, const void *bytes, size_t length)
{
    return ft_buf_status(buf) == FT_OK && buf->length == length &&
           (length == 0 || memcmp(buf->data, bytes, length) == 0);
}

static void test_each_kind(void)
{
    static const uint8_t numbers[] = {0x04, 0x03, 0x02, 0x01, 0x08, 0x07, 0x06, 0x05,
                                      0x04, 0x03, 0x02, 0x01, 0xe5, 0x8e, 0x26, 0xff};
    ft_buf buf;
    ft_buf_init(&buf, &ft_mem_system);
    CHECK(holds(&buf, "", 0));
    ft_buf_put_u32(&buf, 0x01020304);
    ft_buf_put_u64(&buf, UINT64_C(0x0102030405060708));
    ft_buf_put_varint(&buf, 624485); /* the example of the DWARF standard */
    ft_buf_put_byte(&buf, 0xff);
    CHECK(holds(&buf, numbers, sizeof numbers));

    ft_buf_clear(&buf);
    CHECK(holds(&buf, "", 0));
    ft_buf_put(&buf, "a\0b", 3);
    ft_buf_put(&buf, NULL, 0);
    ft_buf_put_text(&buf, "cd");
    ft_buf_put_text(&buf, "");
    ft_buf_printf(&buf, "<%d %s>", -5, "x");
    ft_buf_printf(&buf, "%s", "");
    CHECK(holds(&buf, "a\0bcd<-5 x>", 11));
    ft_buf_fini(&buf);
    ft_buf_fini(&buf);
    CHECK(buf.data == NULL && buf.length == 0);
}

static void test_reserve(void)
{
    ft_buf buf;
    ft_buf_init(&buf, &ft_mem_system);
    CHECK(ft_buf_reserve(&buf, 0) != NULL);
    uint8_t *room = ft_buf_reserve(&buf, 100000);
    REQUIRE(room != NULL);
    memset(room, 'x', 100000);
    CHECK(buf.length == 0);
    buf.length += 100000;
    ft_buf_put_byte(&buf, 'y');
    CHECK(buf.length == 100001 && buf.data[0] == 'x' && buf.data[99999] == 'x');
    CHECK(buf.data[100000] == 'y');
    ft_buf_fini(&buf);
}

/* A printf longer than any first block, cut nowhere. */
static void test_long_printf(void)
{
    ft_buf buf;
    ft_buf_init(&buf, &ft_mem_system);
    ft_buf_put_text(&buf, "^");
    ft_buf_printf(&buf, "%*d", 70000, 1);
    CHECK(buf.length == 70001 && buf.data[0] == '^' && buf.data[1] == ' ');
    CHECK(buf.data[70000] == '1');
    ft_buf_fini(&buf);
}

static void test_random_appends(void)
{
    enum { MOST = 200000 };
    static uint8_t right[MOST];
    random_source source = {1};
    size_t length = 0;
    ft_buf buf;
    ft_buf_init(&buf, &ft_mem_system);
    for (;;) {
        size_t more = random_below(&source, 1u << random_below(&source, 13));
        if (length + more > MOST)
            break;
        for (size_t i = 0; i < more; i++)
            right[length + i] = (uint8_t)random_next(&source);
        ft_buf_put(&buf, right + length, more);
        length += more;
    }
    CHECK(holds(&buf, right, length));
    ft_buf_fini(&buf);
}

static void test_errors_stay(void)
{
    failing_mem state;
    ft_buf buf;
    failing_mem_init(&state, 1);
    ft_buf_init(&buf, &state.mem);
    ft_buf_put_text(&buf, "kept");
    CHECK(ft_buf_reserve(&buf, 1 << 20) == NULL); /* the second allocation is refused */
    CHECK(ft_buf_status(&buf) == FT_ERR_MEMORY);
    state.left = 1000;
    ft_buf_put_text(&buf, "!");
    ft_buf_put_byte(&buf, '!');
    ft_buf_put_u32(&buf, 1);
    ft_buf_put_u64(&buf, 1);
    ft_buf_put_varint(&buf, 1);
    ft_buf_printf(&buf, "!");
    CHECK(ft_buf_reserve(&buf, 0) == NULL);
    CHECK(buf.length == 4 && memcmp(buf.data, "kept", 4) == 0);
    CHECK(ft_buf_status(&buf) == FT_ERR_MEMORY);
    ft_buf_clear(&buf);
    ft_buf_put_text(&buf, "again");
    CHECK(holds(&buf, "again", 5));
    CHECK(ft_buf_reserve(&buf, SIZE_MAX) == NULL); /* the sum would wrap */
    CHECK(ft_buf_status(&buf) == FT_ERR_MEMORY);
    ft_buf_fini(&buf);
    CHECK(state.live == 0);
}

static ft_status fill(const ft_mem *mem)
{
    ft_buf buf;
    ft_buf_init(&buf, mem);
    for (uint32_t i = 0; i < 2000; i++) {
        ft_buf_put_u64(&buf, i);
        ft_buf_printf(&buf, "%u", i);
    }
    ft_status status = ft_buf_status(&buf);
    ft_buf_fini(&buf);
    return status;
}

int main(void)
{
    test_each_kind();
    test_reserve();
    test_long_printf();
    test_random_appends();
    test_errors_stay();
    CHECK(sweep(fill));
    return tap_end();
}
