/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_reader.c: hostile bytes for the reader of .fettle files, and for everything that later
 * walks what it accepted.
 *
 * An input that starts like a .fettle file is read as it is. Checksums keep most mutations of
 * such a file from getting far, so any other input is a recipe: records of five bytes (type,
 * flags, stream, low and high byte of a length) and a payload, which become chunks with right
 * checksums. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/export/exporter.h"
#include "engine/file/reader.h"
#include "engine/model/outline.h"
#include "engine/model/prune.h"
#include "engine/model/query.h"
#include "tests/engine/file_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void query(const ft_profile *profile)
{
    ft_function_row *functions = NULL;
    ft_edge_row *edges = NULL;
    ft_outline_row *outline = NULL;
    ft_totals totals;
    uint32_t count;
    must(ft_query_functions(profile, &functions, &count) == FT_OK);
    must(ft_query_edges(profile, &edges, &count) == FT_OK);
    must(ft_query_totals(profile, &totals) == FT_OK);
    must(ft_outline_make(profile, &(ft_outline_wish){.rows = 0}, &outline, &count) == FT_OK);
    ft_mem_free(profile->mem, outline);
    ft_mem_free(profile->mem, edges);
    ft_mem_free(profile->mem, functions);
}

/* Only what is too large may be refused. */
static void export_all(const ft_profile *profile)
{
    ft_buf out;
    ft_buf_init(&out, profile->mem);
    for (const ft_exporter *const *at = ft_exporters; *at != NULL; at++) {
        ft_status status = (*at)->write(profile, &out);
        must(status == FT_OK || status == FT_ERR_LIMIT);
        ft_buf_clear(&out);
    }
    ft_buf_fini(&out);
}

static void prune(const ft_profile *profile, ft_prune_limits limits)
{
    ft_profile pruned;
    ft_pruned told;
    must(ft_profile_init(&pruned, profile->mem) == FT_OK);
    ft_status status = ft_prune(&pruned, profile, limits, &told);
    must(status == FT_OK || status == FT_ERR_LIMIT);
    if (status == FT_OK) {
        must(ft_profile_check(&pruned) == FT_OK);
        export_all(&pruned);
    }
    ft_profile_fini(&pruned);
}

/* Whoever reads the segments apart goes on behind each: none is empty, and none reaches beyond. */
static void part(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length && ft_header_is_at(bytes + at, length - at);) {
        size_t size = ft_reader_segment_bytes(bytes + at, length - at);
        must(size > 0 && size <= length - at);
        at += size;
    }
}

static void read_and_query(const uint8_t *bytes, size_t length)
{
    ft_profile profile;
    ft_reader_report report;
    part(bytes, length);
    must(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    if (ft_reader_read(bytes, length, &profile, &report) == FT_OK) {
        must(ft_profile_check(&profile) == FT_OK);
        must(report.good_bytes <= length && report.opening_bytes <= report.good_bytes);
        query(&profile);
        export_all(&profile);
        prune(&profile, (ft_prune_limits){.nodes = 3});
        prune(&profile, (ft_prune_limits){.frames = 40});
    }
    ft_profile_fini(&profile);
}

static void build_and_read(const uint8_t *at, const uint8_t *end)
{
    static const uint32_t types[] = {
        FT_CHUNK_META, FT_CHUNK_TEXT, FT_CHUNK_CODE,
        FT_CHUNK_PROC, FT_CHUNK_THRD, FT_CHUNK_TREE,
        FT_CHUNK_NOTE, FT_CHUNK_END,  FT_FORMAT_TYPE('L', 'A', 'T', 'E'),
        FT_CHUNK_LINK, FT_CHUNK_LINE, FT_CHUNK_SRCE,
        FT_CHUNK_SITE, FT_CHUNK_HEAP, FT_CHUNK_MOMT,
        FT_CHUNK_PONT, FT_CHUNK_PROW, FT_CHUNK_OBJS,
        FT_CHUNK_CLAS, FT_CHUNK_TIME, FT_CHUNK_CNTR,
        FT_CHUNK_SMPL, FT_CHUNK_COLL, FT_CHUNK_CSUM,
        FT_CHUNK_SPAN,
    };
    enum { TYPES = sizeof types / sizeof types[0], HEAD = 5 };
    builder file;
    builder_init(&file);
    build_header(&file, FT_FORMAT_MAJOR);
    while (end - at >= HEAD) {
        if (at[0] % (TYPES + 1) == TYPES)
            build_header(&file, FT_FORMAT_MAJOR); /* another segment */
        ft_chunk head = {.type = types[at[0] % TYPES], .flags = at[1] & 7u, .stream = at[2]};
        size_t length = (size_t)at[3] | (size_t)at[4] << 8;
        at += HEAD;
        if (length > (size_t)(end - at))
            length = (size_t)(end - at);
        build_chunk(&file, head, at, length);
        at += length;
    }
    read_and_query(file.file.data, file.file.length);
    builder_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || ft_reader_is_fettle(data, size))
        read_and_query(data, size);
    else
        build_and_read(data, data + size);
    return 0;
}
