/* SPDX-License-Identifier: Apache-2.0 */
/* test_file.c: what the writer wrote, the reader reads: the same profile, also cut, damaged,
 * concatenated, finished by another, on a full disk and without memory. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "engine/base/buf.h"
#include "engine/file/format.h"
#include "tests/engine/failing_mem.h"
#include "tests/engine/profiles.h"
#include "tests/engine/tap.h"

typedef struct outcome {
    ft_status status;
    ft_reader_report report;
    ft_profile profile;
} outcome;

static outcome read_bytes(const uint8_t *bytes, size_t length)
{
    outcome result = {0};
    must(ft_profile_init(&result.profile, &ft_mem_system) == FT_OK);
    result.status = ft_reader_read(bytes, length, &result.profile, &result.report);
    return result;
}

static bool is_whole(const outcome *result, size_t length)
{
    return result->status == FT_OK && result->report.ended && !result->report.torn &&
           result->report.good_bytes == length && result->report.newer_chunks == 0 &&
           ft_profile_check(&result->profile) == FT_OK;
}

/* Written, read: the same. */
static bool round_trips(const ft_profile *profile)
{
    size_t length;
    uint8_t *bytes = profile_bytes(profile, &length);
    outcome back = read_bytes(bytes, length);
    bool right = is_whole(&back, length) && same_profile(profile, &back.profile);
    ft_profile_fini(&back.profile);
    free(bytes);
    return right;
}

static void test_round_trips(void)
{
    bool small = true, large = true;
    ft_profile profile;
    for (uint64_t seed = 0; seed < 300; seed++) {
        make_profile(&profile, seed, 50);
        small &= round_trips(&profile);
        ft_profile_fini(&profile);
    }
    for (uint64_t seed = 300; seed < 310; seed++) {
        make_profile(&profile, seed, 100000); /* several chunks a tree */
        large &= round_trips(&profile);
        ft_profile_fini(&profile);
    }
    CHECK(small);
    CHECK(large);
}

static void test_empty_profile(void)
{
    ft_profile profile;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(round_trips(&profile));
    ft_profile_fini(&profile);
}

/* Texts that just fit a chunk, just do not, and take several. */
static void test_long_texts(void)
{
    static char text[3 * FT_FORMAT_RAW_MAX + 1];
    memset(text, 'x', sizeof text - 1);
    bool texts = true, metas = true;
    for (size_t i = 0; i < 2 * 40 + 1; i++) {
        ft_profile profile;
        uint32_t id, index;
        size_t length = i == 0 ? sizeof text - 1 : (1 + i % 2) * FT_FORMAT_RAW_MAX - i / 2;
        must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
        must(ft_strtab_intern(&profile.texts, text, length, &id) == FT_OK);
        ft_process process = {.command = id};
        must(ft_strtab_intern(&profile.texts, "after", 5, &process.python) == FT_OK);
        must(ft_profile_add_process(&profile, &process, &index) == FT_OK);
        texts &= round_trips(&profile);

        char kept = text[length];
        text[length] = '\0';
        must(ft_profile_set_meta(&profile, "key", text) == FT_OK);
        must(ft_profile_set_meta(&profile, text, "value") == FT_OK);
        text[length] = kept;
        metas &= round_trips(&profile);
        ft_profile_fini(&profile);
    }
    CHECK(texts);
    CHECK(metas);
}

/* A file cut anywhere gives what stands before the cut. */
static void test_cuts(void)
{
    ft_profile profile;
    make_full_profile(&profile, 40);
    size_t length;
    uint8_t *bytes = profile_bytes(&profile, &length);
    bool statuses = true, torn = true, ended = false, valid = true, growing = true;
    uint32_t before = 0;
    for (size_t cut = 0; cut < length; cut++) {
        outcome part = read_bytes(bytes, cut);
        ft_status expected = cut == 0 ? FT_ERR_EMPTY : cut < 8 ? FT_ERR_FOREIGN : FT_OK;
        statuses &= part.status == expected;
        if (part.status == FT_OK) {
            torn &= part.report.torn == (part.report.good_bytes < cut);
            torn &= part.report.opening_bytes <= part.report.good_bytes;
            ended |= part.report.ended;
            valid &= ft_profile_check(&part.profile) == FT_OK;
            growing &= part.profile.texts.count >= before;
            before = part.profile.texts.count;
        }
        ft_profile_fini(&part.profile);
    }
    CHECK(statuses);
    CHECK(torn);
    CHECK(!ended);
    CHECK(valid);
    CHECK(growing && before >= profile.texts.count);
    free(bytes);
    ft_profile_fini(&profile);
}

/* No single wrong bit goes unnoticed. */
static void test_flips(void)
{
    ft_profile profile;
    make_full_profile(&profile, 40);
    size_t length;
    uint8_t *bytes = profile_bytes(&profile, &length);
    bool noticed = true, sorted = true;
    for (size_t bit = 0; bit < length * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        outcome flipped = read_bytes(bytes, length);
        noticed &= flipped.status != FT_OK || flipped.report.torn;
        ft_status expected = bit < 8 * 8 ? FT_ERR_FOREIGN : bit < 16 * 8 ? FT_ERR_CORRUPT : FT_OK;
        sorted &= flipped.status == expected;
        if (flipped.status == FT_OK)
            noticed &= !flipped.report.ended && ft_profile_check(&flipped.profile) == FT_OK;
        ft_profile_fini(&flipped.profile);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(noticed);
    CHECK(sorted);
    free(bytes);
    ft_profile_fini(&profile);
}

/* cat a b > c, read, is the merge of a and b. */
static void test_concatenation(void)
{
    bool right = true;
    for (uint64_t seed = 0; seed < 50; seed++) {
        ft_profile first, second;
        make_profile(&first, seed, 30);
        make_profile(&second, seed + 1000, 30);
        size_t a, b;
        uint8_t *first_bytes = profile_bytes(&first, &a),
                *second_bytes = profile_bytes(&second, &b);
        uint8_t *both = malloc(a + b);
        must(both != NULL && ft_profile_merge(&first, &second) == FT_OK);
        memcpy(both, first_bytes, a);
        memcpy(both + a, second_bytes, b);
        outcome merged = read_bytes(both, a + b);
        right &= is_whole(&merged, a + b) && same_profile(&first, &merged.profile);
        ft_profile_fini(&merged.profile);
        free(both);
        free(second_bytes);
        free(first_bytes);
        ft_profile_fini(&second);
        ft_profile_fini(&first);
    }
    CHECK(right);
}

static void test_begin_then_append(void)
{
    ft_profile profile;
    size_t length;
    int fd = open_temporary();
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    must(ft_profile_set_meta(&profile, "state", "recording") == FT_OK);
    must(ft_profile_set_meta(&profile, "command", "app.py") == FT_OK);
    CHECK(ft_writer_begin(fd, &profile) == FT_OK);
    uint8_t *bytes = file_bytes(fd, &length);
    outcome begun = read_bytes(bytes, length);
    CHECK(begun.status == FT_OK && !begun.report.ended && !begun.report.torn);
    CHECK(begun.report.opening_bytes == length);
    CHECK(same_profile(&profile, &begun.profile));
    ft_profile_fini(&begun.profile);
    free(bytes);

    must(ft_profile_set_meta(&profile, "state", "ended") == FT_OK);
    CHECK(ft_writer_append(fd, &profile) == FT_OK);
    bytes = file_bytes(fd, &length);
    outcome ended = read_bytes(bytes, length);
    CHECK(is_whole(&ended, length));
    REQUIRE(ft_profile_get_meta(&ended.profile, "state") != NULL);
    CHECK(strcmp(ft_profile_get_meta(&ended.profile, "state"), "ended") == 0);
    CHECK(same_profile(&profile, &ended.profile));
    ft_profile_fini(&ended.profile);
    free(bytes);
    ft_profile_fini(&profile);
    close(fd);
}

/* A writer that was killed in the middle of appending: who cuts at opening_bytes and appends
 * again counts nothing twice, wherever it was. */
static void test_finished_by_another(void)
{
    ft_profile profile;
    make_full_profile(&profile, 40);
    size_t length, opening, ignored;
    int fd = open_temporary();
    must(ft_writer_begin(fd, &profile) == FT_OK);
    opening = file_size(fd);
    must(ft_writer_append(fd, &profile) == FT_OK);
    uint8_t *bytes = file_bytes(fd, &length);
    bool right = true;
    for (size_t cut = opening; cut < length; cut += 3) {
        outcome half = read_bytes(bytes, cut);
        must(half.status == FT_OK);
        must(pwrite(fd, bytes, cut, 0) == (ssize_t)cut);
        must(ftruncate(fd, (off_t)half.report.opening_bytes) == 0);
        must(ft_writer_append(fd, &profile) == FT_OK);
        uint8_t *finished = file_bytes(fd, &ignored);
        outcome whole = read_bytes(finished, ignored);
        right &= is_whole(&whole, ignored) && same_profile(&profile, &whole.profile);
        ft_profile_fini(&whole.profile);
        ft_profile_fini(&half.profile);
        free(finished);
    }
    CHECK(right);
    free(bytes);
    ft_profile_fini(&profile);
    close(fd);
}

static void test_disk_full(void)
{
    ft_profile profile;
    make_full_profile(&profile, 100);
    int full = open("/dev/full", O_RDWR);
    if (full >= 0) {
        CHECK(ft_writer_begin(full, &profile) == FT_ERR_DISK_FULL);
        CHECK(ft_writer_append(full, &profile) == FT_ERR_DISK_FULL);
        CHECK(errno == ENOSPC); /* not what cutting a device back gave */
        close(full);
    }
    errno = 0;
    CHECK(ft_writer_append(-1, &profile) == FT_ERR_IO && errno == EBADF);
    ft_profile_fini(&profile);
}

/* A file that may not grow past a limit takes a part of a write and then refuses: the file is as
 * before, and the call can be repeated. */
static void test_truncates_back(void)
{
    ft_profile profile;
    struct rlimit before, small = {.rlim_cur = 50000};
    make_full_profile(&profile, 100000);
    signal(SIGXFSZ, SIG_IGN);
    must(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small.rlim_max = before.rlim_max;
    int fd = open_temporary();
    must(ft_writer_begin(fd, &profile) == FT_OK);
    size_t opening = file_size(fd), length;

    must(setrlimit(RLIMIT_FSIZE, &small) == 0);
    errno = 0;
    ft_status refused = ft_writer_append(fd, &profile);
    int why = errno;
    must(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(refused == FT_ERR_IO && why == EFBIG);
    CHECK(file_size(fd) == opening);
    CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)opening);

    CHECK(ft_writer_append(fd, &profile) == FT_OK);
    uint8_t *bytes = file_bytes(fd, &length);
    CHECK(length > small.rlim_cur); /* else nothing was refused for its size */
    outcome whole = read_bytes(bytes, length);
    CHECK(is_whole(&whole, length) && same_profile(&profile, &whole.profile));
    ft_profile_fini(&whole.profile);
    free(bytes);
    ft_profile_fini(&profile);
    close(fd);
}

/* Each allocation of the writer fails once: an error, no leak, the file as it was. */
static void test_writer_without_memory(void)
{
    ft_profile profile;
    make_full_profile(&profile, 20000);
    int fd = open_temporary();
    must(ft_writer_begin(fd, &profile) == FT_OK);
    size_t opening = file_size(fd);
    bool failed = true, clean = true;
    for (long at = 0; failed; at++) {
        failing_mem mem;
        failing_mem_init(&mem, at);
        ft_profile view = profile; /* the same content, another allocator */
        view.mem = &mem.mem;
        ft_status status = ft_writer_append(fd, &view);
        failed = mem.failed != 0;
        clean &= mem.live == 0 && status == (failed ? FT_ERR_MEMORY : FT_OK);
        clean &= !failed || file_size(fd) == opening;
        REQUIRE(at < 10000);
    }
    CHECK(clean);
    CHECK(file_size(fd) > opening);
    ft_profile_fini(&profile);
    close(fd);
}

static void test_reader_without_memory(void)
{
    ft_profile profile;
    make_full_profile(&profile, 3000);
    size_t length;
    uint8_t *bytes = profile_bytes(&profile, &length);
    bool failed = true, clean = true;
    for (long at = 0; failed; at++) {
        failing_mem mem;
        ft_profile back;
        ft_reader_report report;
        failing_mem_init(&mem, at);
        ft_status status = ft_profile_init(&back, &mem.mem);
        if (status == FT_OK) {
            status = ft_reader_read(bytes, length, &back, &report);
            ft_profile_fini(&back);
        }
        failed = mem.failed != 0;
        clean &= mem.live == 0 && status == (failed ? FT_ERR_MEMORY : FT_OK);
        REQUIRE(at < 10000);
    }
    CHECK(clean);
    free(bytes);
    ft_profile_fini(&profile);
}

static void test_is_fettle(void)
{
    uint8_t bytes[16] = "\x89"
                        "FTL\r\n\x1a\n";
    bool short_ones = false;
    for (size_t length = 0; length < 8; length++)
        short_ones |= ft_reader_is_fettle(bytes, length);
    CHECK(!short_ones);
    CHECK(ft_reader_is_fettle(bytes, 8) && ft_reader_is_fettle(bytes, 16));
    bytes[4] = '\n'; /* as a transfer in text mode would have it */
    CHECK(!ft_reader_is_fettle(bytes, 16));
}

int main(void)
{
    test_round_trips();
    test_empty_profile();
    test_long_texts();
    test_cuts();
    test_flips();
    test_concatenation();
    test_begin_then_append();
    test_finished_by_another();
    test_disk_full();
    test_truncates_back();
    test_writer_without_memory();
    test_reader_without_memory();
    test_is_fettle();
    return tap_end();
}
