/* SPDX-License-Identifier: Apache-2.0 */
/* pprof.c: the recording as a gzipped profile.proto, for `go tool pprof` and friends.
 *
 * A sample for each node with calls or time: its path, innermost first, own time, calls and
 * waiting. A location and a function for each code, numbered as the code.
 *
 * A recording with lines has three sample types more, and a sample for each line that ran: a stack
 * of one location, the line, whose other values are zero. So lines are beside the paths and in no
 * total of theirs; what is known of a line is not known of a path. One with memory has six more in
 * the same way, and a sample for each site where blocks were allocated: its callers' lines and its
 * own. Their names are those of Go's heap profiles where there are such. system_name stays empty:
 * where it equals the name, pprof takes "<module>" for a template's brackets and drops it. Field
 * numbers are those of github.com/google/pprof/proto/profile.proto. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/varint.h"
#include "engine/export/exporter.h"
#include "engine/export/gzip.h"
#include "engine/export/paths.h"
#include "engine/export/spell.h"

extern const ft_exporter ft_exporter_pprof;

/* Fields of the messages, and the two wire types in use. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME = 9,
    PROFILE_DURATION = 10,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
    VALUE_TYPE = 1,
    VALUE_UNIT = 2,
    SAMPLE_LOCATION = 1,
    SAMPLE_VALUE = 2,
    SAMPLE_LABEL = 3,
    LABEL_KEY = 1,
    LABEL_STRING = 2,
    MAPPING_ID = 1,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_FILES = 8,
    MAPPING_HAS_LINES = 9,
    LOCATION_ID = 1,
    LOCATION_MAPPING = 2,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    LINE_NUMBER = 2,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_FILE = 4,
    FUNCTION_LINE = 5,
    WIRE_VARINT = 0,
    WIRE_BYTES = 2
};

/* Of a sample: those of paths, then those of lines, then those of sites. */
enum { PATH_VALUES = 3, LINE_VALUES = 3, SITE_VALUES = 6 };

typedef struct pprof {
    const ft_profile *profile;
    ft_strtab strings; /* text 0 is "", as the format wants it */
    ft_buf whole;      /* the message Profile */
    ft_buf part;       /* a message in it, put there once its length is known */
    ft_buf inner;      /* a message or a packed list in that one; spelled texts */
    ft_status status;  /* of strings */
} pprof;

static void put_number(ft_buf *out, uint32_t field, uint64_t value)
{
    if (value == 0)
        return; /* what is not there is 0 */
    ft_buf_put_varint(out, field << 3 | WIRE_VARINT);
    ft_buf_put_varint(out, value);
}

/* For the signed fields: 2^63-1 stands for more. */
static uint64_t clamp(uint64_t value)
{
    return value > INT64_MAX ? (uint64_t)INT64_MAX : value;
}

static void put_bytes(ft_buf *out, uint32_t field, const void *bytes, size_t length)
{
    ft_buf_put_varint(out, field << 3 | WIRE_BYTES);
    ft_buf_put_varint(out, length);
    ft_buf_put(out, bytes, length);
}

/* Puts what from holds, and empties it. A failure of from becomes one of out. */
static void put_message(ft_buf *out, uint32_t field, ft_buf *from)
{
    put_bytes(out, field, from->data, from->length);
    if (ft_buf_status(from) != FT_OK)
        out->status = ft_buf_status(from);
    ft_buf_clear(from);
}

/* The number of text in the string table; 0 on an error, which is kept. */
static uint32_t string_of(pprof *all, ft_text text)
{
    uint32_t id = 0;
    ft_buf_clear(&all->inner);
    ft_spell_text(&all->inner, text);
    ft_status status = ft_buf_status(&all->inner);
    if (status == FT_OK && all->inner.length > 0)
        status =
            ft_strtab_intern(&all->strings, (const char *)all->inner.data, all->inner.length, &id);
    if (all->status == FT_OK)
        all->status = status;
    ft_buf_clear(&all->inner);
    return id;
}

static uint32_t string_of_word(pprof *all, const char *word)
{
    return string_of(all, (ft_text){word, strlen(word)});
}

static void put_sample_type(pprof *all, const char *type, const char *unit)
{
    uint32_t ids[] = {string_of_word(all, type), string_of_word(all, unit)};
    put_number(&all->part, VALUE_TYPE, ids[0]);
    put_number(&all->part, VALUE_UNIT, ids[1]);
    put_message(&all->whole, PROFILE_SAMPLE_TYPE, &all->part);
}

static bool has_paths(const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++)
        if (profile->threads[i].tree.count > 1)
            return true;
    return false;
}

static bool has_lines(const ft_profile *profile)
{
    return profile->lines.count > 0;
}

static bool has_sites(const ft_profile *profile)
{
    return profile->memory.sites.count > 1;
}

/* The values that a viewer shows unless it is asked. */
static const char *shown_type(const ft_profile *profile)
{
    if (!has_paths(profile) && has_lines(profile))
        return "line_time";
    return !has_paths(profile) && has_sites(profile) ? "peak_space" : "time";
}

static void put_zeros(pprof *all, int count)
{
    while (count-- > 0)
        ft_buf_put_varint(&all->inner, 0);
}

static void put_site_types(pprof *all)
{
    put_sample_type(all, "alloc_objects", "count");
    put_sample_type(all, "alloc_space", "bytes");
    put_sample_type(all, "inuse_objects", "count");
    put_sample_type(all, "inuse_space", "bytes");
    put_sample_type(all, "peak_objects", "count");
    put_sample_type(all, "peak_space", "bytes");
}

static void put_head(pprof *all)
{
    put_sample_type(all, "time", "nanoseconds");
    put_sample_type(all, "calls", "count");
    put_sample_type(all, "waiting", "nanoseconds");
    if (has_lines(all->profile)) {
        put_sample_type(all, "line_time", "nanoseconds");
        put_sample_type(all, "line_hits", "count");
        put_sample_type(all, "line_waiting", "nanoseconds");
    }
    if (has_sites(all->profile))
        put_site_types(all);
    put_number(&all->whole, PROFILE_DEFAULT_SAMPLE_TYPE,
               string_of_word(all, shown_type(all->profile)));
    if (all->profile->process_count == 0)
        return;
    put_number(&all->whole, PROFILE_TIME, clamp(all->profile->processes[0].started));
    put_number(&all->whole, PROFILE_DURATION, clamp(all->profile->processes[0].elapsed));
}

/* The one "binary": it says that everything has its name, lest pprof look for a file. */
static void put_mapping(pprof *all)
{
    put_number(&all->part, MAPPING_ID, 1);
    put_number(&all->part, MAPPING_HAS_FUNCTIONS, 1);
    put_number(&all->part, MAPPING_HAS_FILES, 1);
    put_number(&all->part, MAPPING_HAS_LINES, 1);
    put_message(&all->whole, PROFILE_MAPPING, &all->part);
}

static void put_location(pprof *all, uint64_t id, uint32_t function, uint32_t line)
{
    put_number(&all->part, LOCATION_ID, id);
    put_number(&all->part, LOCATION_MAPPING, 1);
    put_number(&all->inner, LINE_FUNCTION, function);
    put_number(&all->inner, LINE_NUMBER, line);
    put_message(&all->part, LOCATION_LINE, &all->inner);
    put_message(&all->whole, PROFILE_LOCATION, &all->part);
}

/* Functions are numbered as codes; what is not known has the number behind them. */
static uint32_t function_of(const ft_profile *profile, uint32_t code)
{
    return code == FT_CODE_NONE ? profile->codes.count : code;
}

static void put_unknown_function(pprof *all)
{
    put_number(&all->part, FUNCTION_ID, function_of(all->profile, FT_CODE_NONE));
    put_number(&all->part, FUNCTION_NAME, string_of_word(all, "<unknown>"));
    put_message(&all->whole, PROFILE_FUNCTION, &all->part);
}

static void put_function(pprof *all, uint32_t id)
{
    const ft_code *code = &all->profile->codes.codes[id];
    put_number(&all->part, FUNCTION_ID, id);
    put_number(&all->part, FUNCTION_NAME, string_of(all, ft_spell_name(all->profile, code)));
    put_number(&all->part, FUNCTION_FILE,
               string_of(all, ft_strtab_get(&all->profile->texts, code->file)));
    put_number(&all->part, FUNCTION_LINE, code->line);
    put_message(&all->whole, PROFILE_FUNCTION, &all->part);
}

/* The label as a whole field of a sample, appended to out: it is the same for a whole tree. */
static void put_label(pprof *all, ft_buf *out, const char *key, ft_text text)
{
    uint32_t ids[] = {string_of_word(all, key), string_of(all, text)};
    put_number(&all->inner, LABEL_KEY, ids[0]);
    put_number(&all->inner, LABEL_STRING, ids[1]);
    put_message(out, SAMPLE_LABEL, &all->inner);
}

static void put_labels(pprof *all, ft_buf *out, const ft_thread *thread)
{
    ft_buf pid;
    ft_buf_init(&pid, all->profile->mem);
    ft_spell_number(&pid, all->profile->processes[thread->process].pid);
    put_label(all, out, "thread", ft_strtab_get(&all->profile->texts, thread->name));
    if (ft_buf_status(&pid) == FT_OK)
        put_label(all, out, "pid", (ft_text){(const char *)pid.data, pid.length});
    else
        out->status = ft_buf_status(&pid);
    ft_buf_fini(&pid);
}

static void put_sample(pprof *all, const ft_tree *tree, uint32_t id, const ft_buf *labels)
{
    const ft_node *node = &tree->nodes[id];
    for (uint32_t at = id; at != 0; at = tree->nodes[at].parent)
        ft_buf_put_varint(&all->inner, tree->nodes[at].code);
    put_message(&all->part, SAMPLE_LOCATION, &all->inner);
    ft_buf_put_varint(&all->inner, clamp(node->own));
    ft_buf_put_varint(&all->inner, clamp(node->calls));
    ft_buf_put_varint(&all->inner, clamp(node->waiting));
    put_zeros(all, has_lines(all->profile) ? LINE_VALUES : 0);
    put_zeros(all, has_sites(all->profile) ? SITE_VALUES : 0);
    put_message(&all->part, SAMPLE_VALUE, &all->inner);
    ft_buf_put(&all->part, labels->data, labels->length);
    put_message(&all->whole, PROFILE_SAMPLE, &all->part);
}

static ft_status put_samples(pprof *all, const ft_thread *thread)
{
    const ft_tree *tree = &thread->tree;
    ft_buf labels;
    ft_buf_init(&labels, all->profile->mem);
    put_labels(all, &labels, thread);
    ft_status status = ft_buf_status(&labels);
    for (uint32_t id = 1; id < tree->count && status == FT_OK; id++) {
        const ft_node *node = &tree->nodes[id];
        if ((node->own | node->calls | node->waiting) != 0)
            put_sample(all, tree, id, &labels);
        status = ft_buf_status(&all->whole);
    }
    ft_buf_fini(&labels);
    return status;
}

/* The sample of a line, and its location, numbered behind those of the codes. */
static void put_line(pprof *all, const ft_line *line, uint64_t location)
{
    put_location(all, location, line->code, line->line);
    ft_buf_put_varint(&all->inner, location);
    put_message(&all->part, SAMPLE_LOCATION, &all->inner);
    put_zeros(all, PATH_VALUES);
    ft_buf_put_varint(&all->inner, clamp(line->time));
    ft_buf_put_varint(&all->inner, clamp(line->hits));
    ft_buf_put_varint(&all->inner, clamp(line->waiting));
    put_zeros(all, has_sites(all->profile) ? SITE_VALUES : 0);
    put_message(&all->part, SAMPLE_VALUE, &all->inner);
    put_message(&all->whole, PROFILE_SAMPLE, &all->part);
}

static ft_status put_lines(pprof *all)
{
    const ft_profile *profile = all->profile;
    ft_line *lines;
    ft_status status = ft_lines_sorted(&profile->lines, profile->mem, &lines);
    if (status != FT_OK)
        return status;
    for (uint32_t i = 0; i < profile->lines.count; i++)
        if (lines[i].line != 0 && (lines[i].hits | lines[i].time) != 0)
            put_line(all, &lines[i], (uint64_t)profile->codes.count + i);
    ft_mem_free(profile->mem, lines);
    return ft_buf_status(&all->whole);
}

/* Numbered behind those of the codes and lines. */
static uint64_t site_location(const ft_profile *profile, uint32_t site)
{
    return (uint64_t)profile->codes.count + profile->lines.count + site;
}

static void put_site(pprof *all, uint32_t id)
{
    const ft_site *sites = all->profile->memory.sites.sites, *site = &sites[id];
    for (uint32_t at = id; at != FT_SITE_NONE; at = sites[at].parent)
        ft_buf_put_varint(&all->inner, site_location(all->profile, at));
    put_message(&all->part, SAMPLE_LOCATION, &all->inner);
    put_zeros(all, PATH_VALUES + (has_lines(all->profile) ? LINE_VALUES : 0));
    ft_buf_put_varint(&all->inner, clamp(site->total_count));
    ft_buf_put_varint(&all->inner, clamp(site->total_bytes));
    ft_buf_put_varint(&all->inner, clamp(site->alive_count));
    ft_buf_put_varint(&all->inner, clamp(site->alive_bytes));
    ft_buf_put_varint(&all->inner, clamp(site->peak_count));
    ft_buf_put_varint(&all->inner, clamp(site->peak_bytes));
    put_message(&all->part, SAMPLE_VALUE, &all->inner);
    put_message(&all->whole, PROFILE_SAMPLE, &all->part);
}

static bool site_has_blocks(const ft_site *site)
{
    return (site->total_count | site->total_bytes | site->alive_count | site->alive_bytes |
            site->peak_count | site->peak_bytes) != 0;
}

/* Their paths may not be larger than those of calls. */
static ft_status put_sites(pprof *all)
{
    const ft_sites *sites = &all->profile->memory.sites;
    ft_status status = has_sites(all->profile) ? ft_paths_check_sites(all->profile) : FT_OK;
    if (status == FT_OK && has_sites(all->profile))
        put_unknown_function(all);
    for (uint32_t id = FT_SITE_NONE + 1; id < sites->count && status == FT_OK; id++) {
        const ft_site *site = &sites->sites[id];
        put_location(all, site_location(all->profile, id), function_of(all->profile, site->code),
                     site->line);
        if (site_has_blocks(site))
            put_site(all, id);
        status = ft_buf_status(&all->whole);
    }
    return status;
}

static void put_strings(pprof *all)
{
    for (uint32_t i = 0; i < all->strings.count; i++) {
        ft_text text = ft_strtab_get(&all->strings, i);
        put_bytes(&all->whole, PROFILE_STRING, text.data, text.length);
    }
}

/* The bound on paths: a frame is as wide as its location's number. */
static ft_status check_paths(const ft_profile *profile)
{
    uint32_t codes = profile->codes.count;
    size_t *widths = ft_mem_new(profile->mem, codes, sizeof *widths);
    if (widths == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 0; i < codes; i++) {
        uint8_t digits[FT_VARINT_MAX];
        widths[i] = (size_t)(ft_varint_put(digits, i) - digits);
    }
    ft_status status = ft_paths_check(profile, widths);
    ft_mem_free(profile->mem, widths);
    return status;
}

/* Fills whole. */
static ft_status make_message(pprof *all)
{
    const ft_profile *profile = all->profile;
    put_head(all);
    put_mapping(all);
    ft_status status = check_paths(profile);
    for (uint32_t i = 0; i < profile->thread_count && status == FT_OK; i++)
        status = put_samples(all, &profile->threads[i]);
    for (uint32_t id = 1; id < profile->codes.count && status == FT_OK; id++) {
        put_location(all, id, id, profile->codes.codes[id].line);
        put_function(all, id);
        status = all->status;
    }
    if (status == FT_OK)
        status = put_lines(all);
    if (status == FT_OK)
        status = put_sites(all);
    if (status == FT_OK)
        status = all->status;
    put_strings(all);
    return status == FT_OK ? ft_buf_status(&all->whole) : status;
}

static ft_status write_pprof(const ft_profile *profile, ft_buf *out)
{
    pprof all = {.profile = profile, .status = FT_OK};
    ft_status status = ft_strtab_init(&all.strings, profile->mem);
    if (status != FT_OK)
        return status;
    ft_buf_init(&all.whole, profile->mem);
    ft_buf_init(&all.part, profile->mem);
    ft_buf_init(&all.inner, profile->mem);
    status = make_message(&all);
    if (status == FT_OK) {
        ft_gzip_put(out, all.whole.data, all.whole.length);
        status = ft_buf_status(out);
    }
    ft_buf_fini(&all.inner);
    ft_buf_fini(&all.part);
    ft_buf_fini(&all.whole);
    ft_strtab_fini(&all.strings);
    return status;
}

const ft_exporter ft_exporter_pprof = {
    .name = "pprof",
    .suffix = ".pb.gz",
    .description = "every path, for go tool pprof",
    .write = write_pprof,
    .comfort = FT_EXPORTER_PATHS_COMFORT,
    .has_lines = true,
    .has_memory = true,
};
