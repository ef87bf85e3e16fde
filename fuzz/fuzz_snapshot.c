/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_snapshot.c: hostile bytes for the readers of snapshots of memory: fettle's files and
 * tracemalloc's, which are pickles (fuzz/make_snapshot_corpus.py makes the first inputs). What is
 * accepted must be written and read again the same; what is refused of a pickle must be named.
 *
 * Checksums keep most mutations of a file of ours from getting far, so any input that begins like
 * neither is a recipe: records of four bytes (type, flags, low and high byte of a length) and a
 * payload, which become chunks with right checksums. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/file/tracemalloc_reader.h"
#include "tests/engine/snapshots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void write_and_read(const ft_traces *traces)
{
    ft_buf out;
    ft_traces back;
    ft_buf_init(&out, &ft_mem_system);
    must(ft_traces_init(&back, &ft_mem_system) == FT_OK);
    ft_status status = ft_snapshot_write(traces, &out);
    must(status == FT_OK || status == FT_ERR_LIMIT);
    if (status == FT_OK) {
        must(ft_snapshot_read(out.data, out.length, &back) == FT_OK);
        must(same_traces(traces, &back));
    }
    ft_traces_fini(&back);
    ft_buf_fini(&out);
}

static void read_one(const uint8_t *data, size_t size)
{
    ft_traces traces;
    ft_pickle_fault fault = {""};
    ft_status status;
    must(ft_traces_init(&traces, &ft_mem_system) == FT_OK);
    if (ft_snapshot_is_one(data, size)) {
        status = ft_snapshot_read(data, size, &traces);
    } else {
        status = ft_tracemalloc_reader_read(data, size, &traces, &fault);
        must((status == FT_ERR_FOREIGN) == !ft_pickle_is_pickle(data, size));
        must((status == FT_ERR_CORRUPT) == (fault.text[0] != '\0'));
    }
    if (status == FT_OK)
        write_and_read(&traces);
    ft_traces_fini(&traces);
}

static void build_and_read(const uint8_t *at, const uint8_t *end)
{
    static const uint32_t types[] = {FT_SNAPSHOT_TEXT, FT_SNAPSHOT_STAK,
                                     FT_SNAPSHOT_GRUP, FT_SNAPSHOT_ATTR,
                                     FT_SNAPSHOT_END,  FT_FORMAT_TYPE('L', 'A', 'T', 'E')};
    enum { TYPES = sizeof types / sizeof types[0], HEAD = 4 };
    builder file;
    builder_init(&file);
    build_snapshot_header(&file, FT_SNAPSHOT_VERSION);
    while (end - at >= HEAD) {
        ft_chunk head = {.type = types[at[0] % TYPES], .flags = at[1] & 3u};
        size_t length = (size_t)at[2] | (size_t)at[3] << 8;
        at += HEAD;
        if (length > (size_t)(end - at))
            length = (size_t)(end - at);
        build_chunk(&file, head, at, length);
        at += length;
    }
    read_one(file.file.data, file.file.length);
    builder_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && (ft_snapshot_is_one(data, size) || ft_pickle_is_pickle(data, size)))
        read_one(data, size);
    else
        build_and_read(data, data + size);
    return 0;
}
