/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lprof.c: hostile bytes for the reader of line_profiler's files, which are pickles
 * (fuzz/make_lprof_corpus.py makes the first inputs). What it accepts must be written and read
 * again the same, and become lines that a profile may have; what it refuses must be named. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/export/lprof.h"
#include "engine/file/lprof_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool same_text(const ft_timings *a, uint32_t x, const ft_timings *b, uint32_t y)
{
    ft_text left = ft_strtab_get(&a->texts, x), right = ft_strtab_get(&b->texts, y);
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

static void must_be_same(const ft_timings *a, const ft_timings *b)
{
    must(a->function_count == b->function_count && a->line_count == b->line_count);
    must(memcmp(&a->unit, &b->unit, sizeof a->unit) == 0);
    for (uint32_t i = 0; i < a->function_count; i++) {
        const ft_timed *x = &a->functions[i], *y = &b->functions[i];
        must(same_text(a, x->file, b, y->file) && same_text(a, x->name, b, y->name));
        must(x->line == y->line && x->first == y->first && x->count == y->count);
    }
    for (uint32_t i = 0; i < a->line_count; i++)
        must(memcmp(&a->lines[i], &b->lines[i], sizeof *a->lines) == 0);
}

static void write_and_read(const ft_timings *timings)
{
    ft_buf out;
    ft_timings back;
    ft_pickle_fault fault;
    ft_buf_init(&out, &ft_mem_system);
    must(ft_timings_init(&back, &ft_mem_system) == FT_OK);
    must(ft_lprof_write(timings, &out) == FT_OK);
    must(ft_lprof_reader_read(out.data, out.length, &back, &fault) == FT_OK);
    must_be_same(timings, &back);
    ft_timings_fini(&back);
    ft_buf_fini(&out);
}

static void make_lines(const ft_timings *timings)
{
    ft_buf out;
    ft_profile profile;
    ft_buf_init(&out, &ft_mem_system);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    ft_status status = ft_lprof_reader_add(&profile, timings);
    must(status == FT_OK || status == FT_ERR_CORRUPT || status == FT_ERR_LIMIT);
    must(ft_profile_check(&profile) == FT_OK);
    must(ft_exporter_write(ft_exporter_find("lprof"), &profile, &out) == FT_OK);
    ft_profile_fini(&profile);
    ft_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ft_timings timings;
    ft_pickle_fault fault = {""};
    must(ft_timings_init(&timings, &ft_mem_system) == FT_OK);
    ft_status status = ft_lprof_reader_read(data, size, &timings, &fault);
    must((status == FT_ERR_EMPTY) == (size == 0));
    must((status == FT_ERR_FOREIGN) == (size > 0 && !ft_pickle_is_pickle(data, size)));
    must((status == FT_ERR_CORRUPT) == (fault.text[0] != '\0'));
    if (status == FT_OK) {
        write_and_read(&timings);
        make_lines(&timings);
    }
    ft_timings_fini(&timings);
    return 0;
}
