/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_harvest.c: hostile bytes for the reader of arenas, and for everything that later walks what
 * it accepted.
 *
 * An arena is large and mostly zeros, so an input is a recipe: patches of five bytes (block, offset
 * in two bytes, how, value) to a sound arena that is made once: the recorder's own. The first byte
 * of the input says where the file is cut. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "engine/record/heap.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"
#include "engine/record/span_log.h"
#include "engine/record/tasks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATCH = 5, MAX_PATCHES = 64, FUNCTIONS = 6, MAX_BASE = 1 << 21 };

/* Of the fuzzer alone: made at the first input. */
static struct {
    _Alignas(64) uint8_t bytes[MAX_BASE];
    size_t length;
    char path[64];
} base;

static void must(bool held)
{
    if (!held)
        abort();
}

static void record(ft_recording *recording)
{
    static char keys[FUNCTIONS];
    static uint64_t frames[FUNCTIONS];
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        ft_function function = {.key = &keys[i],
                                .kind = 1 + i % 2,
                                .line = i,
                                .texts = {"a.py", "f", "C.f"},
                                .lengths = {4, 1, 3}};
        must(ft_recording_intern(recording, &function) == FT_OK);
    }
    static char task;
    ft_function coroutine = {.key = &task,
                             .kind = FT_CODE_PYTHON,
                             .flags = FT_CODE_SUSPENDS | FT_CODE_IN_AWAIT | FT_CODE_STARTS_TASK,
                             .texts = {"a.py", "t", "t"},
                             .lengths = {4, 1, 1}};
    must(ft_recording_intern(recording, &coroutine) == FT_OK);
    must(ft_recording_set_property(recording, "command", "python\0a.py", 11) == FT_OK);
    ft_recorder *recorder = ft_recording_attach(recording);
    must(recorder != NULL);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t at = i % FUNCTIONS;
        must(ft_recorder_enter(recorder, &keys[at], &frames[at], recorder->slice_start + 5));
        if (at == FUNCTIONS - 1)
            for (uint32_t k = FUNCTIONS; k-- > 1;)
                must(ft_recorder_leave(recorder, &keys[k], &frames[k], recorder->slice_start + 5));
    }
    for (uint32_t i = 0; i < 5; i++) {
        const ft_span_collection made = {
            .start = recorder->slice_start + i, .duration = i, .generation = i % 3};
        ft_span_log_collection(recording, &made);
    }
    ft_tasks_create(recorder, &task, &frames[1], recorder->slice_start);
    must(ft_recorder_enter(recorder, &task, &frames[1], recorder->slice_start + 5));
    ft_tasks_yield(recorder, &frames[1], false, recorder->slice_start + 5);
    must(ft_recorder_leave(recorder, &task, &frames[1], recorder->slice_start + 5));
}

static void record_collections(ft_recording *recording)
{
    for (uint32_t i = 0; i < 5; i++) {
        const ft_span_collection collection = {.start = recording->arena.header->first.ticks + i,
                                               .duration = i,
                                               .generation = i % 3,
                                               .collected = i};
        ft_span_log_collection(recording, &collection);
    }
}

/* Lines that ended, are open, await and are paused; a table that nobody met. */
static void record_lines(ft_recording *recording, char *keys, uint64_t *frames)
{
    static const uint32_t numbers[] = {2, 3, 4};
    for (uint32_t i = 0; i < 5; i++) {
        ft_function function = {.key = &keys[i],
                                .kind = FT_CODE_PYTHON,
                                .line = i + 1,
                                .texts = {"b.py", "g", "g"},
                                .lengths = {4, 1, 1}};
        ft_line_member member = {
            .key = &keys[i], .lines = numbers, .line_count = 3, .entry = 2, .outer = 0};
        must(ft_recording_intern(recording, &function) == FT_OK);
        must(ft_recording_watch_lines(recording, &member, 1, 5) == FT_OK);
    }
    ft_recorder *recorder = ft_recording_attach(recording);
    must(recorder != NULL);
    ft_line_recorder *lines = ft_recorder_lines(recorder);
    must(lines != NULL);
    uint64_t now = recorder->slice_start;
    for (uint32_t i = 0; i < 4; i++) {
        ft_line_at(lines, &keys[i], &frames[i], 2, now += 5);
        ft_line_at(lines, &keys[i], &frames[i], 3, now += 5);
    }
    ft_line_leave(lines, &keys[3], &frames[3], now += 5);
    ft_line_suspend(lines, &keys[2], &frames[2], true, now += 5);
    ft_line_suspend(lines, &keys[1], &frames[1], false, now += 5);
}

static void allocate(ft_heap_part *part, uint32_t site, size_t size, uintptr_t address)
{
    uint32_t tag = ft_heap_tag_of(part, site, ft_heap_size_of(part, size));
    must(tag != 0 && ft_heap_add(part, tag, address, size));
}

/* Blocks of both parts, small and large, some of them freed; moments, points, objects, classes. */
static void record_heap(ft_heap *heap)
{
    static const ft_function function = {
        .kind = FT_CODE_PYTHON, .line = 1, .texts = {"c.py", "h", "h"}, .lengths = {4, 1, 1}};
    static char address;
    for (uint32_t i = 0; i < 2; i++) {
        ft_heap_part *part = &heap->parts[i];
        uint32_t code = ft_heap_declare_code(part, &address, &function);
        const ft_heap_place places[] = {{code, 5}, {code, 2}};
        uint32_t site = ft_heap_site_of(part, places, 2, 0);
        for (uint32_t k = 0; k < 8; k++)
            allocate(part, site, 16 + k / 3 * 400, 0x100000 + k * 0x1000);
        allocate(part, ft_heap_site_of(part, NULL, 0, 7), 32, 0x200000);
        size_t size;
        uint32_t tag = ft_heap_take(part, 0x107000, &size);
        ft_heap_end(part, tag, 0x107000, size);
    }
    ft_heap_look_now(heap);
    must(ft_heap_mark(heap, "first", 5) == FT_OK && ft_heap_mark(heap, "second", 6) == FT_OK);
    const ft_heap_object object = {.type = 1, .part = 1, .site = 2, .count = 3, .bytes = 99};
    const ft_heap_class class_row = {.type = 2, .instances = 3, .bytes = 9, .plain = 3};
    must(ft_heap_add_object(heap, &object) == FT_OK);
    must(ft_heap_add_class(heap, &class_row) == FT_OK);
}

static void make_base(void)
{
    char folder[] = "/tmp/fettle-fuzz-XXXXXX";
    ft_recording recording;
    must(mkdtemp(folder) != NULL);
    must(ft_recording_open(&recording, &ft_mem_system, folder, 1000) == FT_OK);
    record(&recording);
    static char keys[FUNCTIONS];
    static uint64_t frames[FUNCTIONS];
    record_collections(&recording);
    record_lines(&recording, keys, frames);
    ft_heap *heap = malloc(sizeof *heap); /* too large for a stack */
    must(heap != NULL && ft_heap_open(heap, &recording, 5, 0) == FT_OK);
    record_heap(heap);
    FILE *file = fopen(recording.arena.path, "rb");
    must(file != NULL);
    base.length = fread(base.bytes, 1, MAX_BASE, file);
    fclose(file);
    must(base.length > FT_ARENA_HEADER_BYTES && base.length < MAX_BASE);
    unlink(recording.arena.path);
    ft_heap_close(heap);
    free(heap);
    ft_recording_close(&recording);
    rmdir(folder);
    must(snprintf(base.path, sizeof base.path, "%s.arena", folder) < (int)sizeof base.path);
}

static void write_file(const uint8_t *bytes, size_t length)
{
    int fd = open(base.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

/* Recipes number the blocks as if that of spans, which came to arenas later, were the last. */
static size_t block_of(size_t number)
{
    size_t blocks = base.length / FT_BLOCK_MIN_BYTES, spans = 1;
    while (((const ft_block *)(const void *)(base.bytes + spans * FT_BLOCK_MIN_BYTES))->kind !=
           FT_BLOCK_SPANS)
        spans++;
    must(spans < blocks);
    number %= blocks;
    if (number < spans)
        return number;
    return number == blocks - 1 ? spans : number + 1;
}

static void patch(uint8_t *bytes, const uint8_t *at)
{
    size_t offset = block_of(at[0]) * FT_BLOCK_MIN_BYTES + (at[1] | (size_t)at[2] << 8);
    switch (at[3] % 3) {
    case 0:
        bytes[offset] = at[4];
        break;
    case 1:
        bytes[offset] ^= at[4];
        break;
    default:
        bytes[offset] = (uint8_t)(bytes[offset] + at[4]);
        break;
    }
}

static void harvest_and_query(ft_harvest_death death)
{
    ft_profile profile;
    ft_function_row *functions = NULL;
    ft_edge_row *edges = NULL;
    uint32_t count;
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    if (ft_harvest_file(&profile, base.path, death) == FT_OK) {
        must(ft_profile_check(&profile) == FT_OK);
        must(ft_query_functions(&profile, &functions, &count) == FT_OK);
        must(ft_query_edges(&profile, &edges, &count) == FT_OK);
        ft_mem_free(profile.mem, functions);
        ft_mem_free(profile.mem, edges);
    }
    ft_profile_fini(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t patched[MAX_BASE];
    if (base.length == 0)
        make_base();
    if (size == 0)
        return 0;
    memcpy(patched, base.bytes, base.length);
    for (size_t i = 0; i < MAX_PATCHES && 1 + (i + 1) * PATCH <= size; i++)
        patch(patched, data + 1 + i * PATCH);
    size_t cut = data[0] < 128 ? 0 : (size_t)(data[0] - 128) * base.length / 128;
    write_file(patched, base.length - cut);
    harvest_and_query((ft_harvest_death){.pid = (uint32_t)getpid(), .cpu_ns = 1});
    unlink(base.path);
    return 0;
}
