/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pstats.c: hostile bytes for the reader of what cProfile writes: the marshalled dictionary
 * (fuzz/make_pstats_corpus.py makes the first inputs). What it accepts must be a settled summary,
 * and adding it to itself must double it. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/file/pstats_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static uint64_t twice(uint64_t number)
{
    return number > UINT64_MAX / 2 ? UINT64_MAX : 2 * number;
}

static void add_to_itself(const uint8_t *data, size_t size, const ft_summary *once)
{
    ft_summary both;
    must(ft_summary_init(&both, &ft_mem_system) == FT_OK);
    must(ft_pstats_reader_read(data, size, &both) == FT_OK);
    must(ft_summary_merge(&both, once) == FT_OK);
    must(ft_summary_check(&both) == FT_OK);
    must(both.function_count == once->function_count && both.edge_count == once->edge_count);
    for (uint32_t i = 0; i < once->function_count; i++) {
        must(both.functions[i].calls == twice(once->functions[i].calls));
        must(both.functions[i].cumulative == twice(once->functions[i].cumulative));
    }
    for (uint32_t i = 0; i < once->edge_count; i++)
        must(both.edges[i].own == twice(once->edges[i].own));
    ft_summary_fini(&both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ft_summary summary;
    must(ft_summary_init(&summary, &ft_mem_system) == FT_OK);
    ft_status status = ft_pstats_reader_read(data, size, &summary);
    must((status == FT_ERR_EMPTY) == (size == 0));
    must((status == FT_ERR_FOREIGN) == (size > 0 && !ft_pstats_reader_is_pstats(data, size)));
    if (status == FT_OK) {
        must(ft_summary_check(&summary) == FT_OK);
        add_to_itself(data, size, &summary);
    }
    ft_summary_fini(&summary);
    return 0;
}
