/* SPDX-License-Identifier: Apache-2.0 */
/* timings.c: two growing arrays (see timings.h). */
#include "engine/model/timings.h"

#include <assert.h>

#include "engine/base/array.h"

ft_status ft_timings_init(ft_timings *timings, const ft_mem *mem)
{
    *timings = (ft_timings){.mem = mem};
    return ft_strtab_init(&timings->texts, mem);
}

void ft_timings_fini(ft_timings *timings)
{
    ft_mem_free(timings->mem, timings->lines);
    ft_mem_free(timings->mem, timings->functions);
    ft_strtab_fini(&timings->texts);
    *timings = (ft_timings){.mem = timings->mem};
}

ft_status ft_timings_add_function(ft_timings *timings, uint32_t file, int64_t line, uint32_t name)
{
    assert(file < timings->texts.count && name < timings->texts.count);
    if (timings->function_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_timed *functions =
        ft_array_grow(timings->mem, timings->functions, timings->function_count + 1,
                      &timings->function_capacity, sizeof *functions);
    if (functions == NULL)
        return FT_ERR_MEMORY;
    timings->functions = functions;
    functions[timings->function_count++] =
        (ft_timed){.file = file, .name = name, .line = line, .first = timings->line_count};
    return FT_OK;
}

ft_status ft_timings_add_line(ft_timings *timings, const ft_timing *line)
{
    assert(timings->function_count > 0);
    if (timings->line_count == UINT32_MAX)
        return FT_ERR_LIMIT;
    ft_timing *lines = ft_array_grow(timings->mem, timings->lines, timings->line_count + 1,
                                     &timings->line_capacity, sizeof *lines);
    if (lines == NULL)
        return FT_ERR_MEMORY;
    timings->lines = lines;
    lines[timings->line_count++] = *line;
    timings->functions[timings->function_count - 1].count++;
    return FT_OK;
}
