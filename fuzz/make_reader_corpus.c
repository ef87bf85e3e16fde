/* SPDX-License-Identifier: Apache-2.0 */
/* make_reader_corpus.c: writes the first inputs of fuzz/corpus/reader: sound files, cut ones,
 * damaged ones and recipes (see fuzz_reader.c). Usage: make_reader_corpus FOLDER */
#include "tests/engine/file_builder.h"
#include "tests/engine/profiles.h"

static void save(const char *folder, const char *name, const uint8_t *bytes, size_t length)
{
    char path[4096];
    must(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
    FILE *file = fopen(path, "wb");
    must(file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

static void save_random(const char *folder)
{
    char name[64];
    for (uint64_t seed = 0; seed < 8; seed++) {
        ft_profile profile;
        size_t length;
        make_profile(&profile, seed, 20);
        uint8_t *bytes = profile_bytes(&profile, &length);
        snprintf(name, sizeof name, "random-%u.fettle", (unsigned)seed);
        save(folder, name, bytes, length);
        free(bytes);
        ft_profile_fini(&profile);
    }
}

/* One with some of everything: lines.fettle is one of version 1.1, memory.fettle one of 1.2,
 * timings.fettle one of 1.3, and they are made no more. */
static void save_full(const char *folder)
{
    ft_profile profile;
    size_t length;
    make_full_profile(&profile, 20);
    uint8_t *bytes = profile_bytes(&profile, &length);
    save(folder, "spans.fettle", bytes, length);
    free(bytes);
    ft_profile_fini(&profile);
}

static void save_cut_and_damaged(const char *folder)
{
    char name[64];
    builder file;
    builder_init(&file);
    build_dictionaries(&file);
    build_rest(&file);
    size_t length = file.file.length;
    uint8_t *bytes = file.file.data;
    save(folder, "sound.fettle", bytes, length);
    for (size_t cut = 8; cut < length; cut += length / 7) {
        snprintf(name, sizeof name, "cut-%u.fettle", (unsigned)cut);
        save(folder, name, bytes, cut);
    }
    for (size_t at = 8; at < length; at += length / 7) {
        bytes[at] ^= 0x10;
        snprintf(name, sizeof name, "damaged-%u.fettle", (unsigned)at);
        save(folder, name, bytes, length);
        bytes[at] ^= 0x10;
    }
    build_dictionaries(&file);
    build_rest(&file);
    save(folder, "two-segments.fettle", file.file.data, file.file.length);
    ft_buf_clear(&file.file);
    build_header(&file, FT_FORMAT_MAJOR + 1);
    save(folder, "newer.fettle", file.file.data, file.file.length);
    builder_fini(&file);
}

/* One record of a recipe: the number of the type, then what follows the table in fuzz_reader.c. */
#define RECORD(type, flags, stream, length, payload) type flags stream length "\0" payload

/* Doubles. */
#define NANOSECOND "\x95\xd6\x26\xe8\x0b\x2e\x11\x3e"
#define ZERO "\0\0\0\0\0\0\0\0"

/* Of timings and of spans, behind the dictionaries of `recipe`, which has room. */
static void save_newer_recipes(const char *folder, uint8_t *recipe, size_t length)
{
    static const char timings[] =
        RECORD("\23", "\1", "\0", "\36", "\1\1\5" NANOSECOND "\3\1\1\2\0\2\1" ZERO "\0\0\0\0")
            RECORD("\24", "\1", "\0", "\12", "\0\1" NANOSECOND)
                RECORD("\25", "\1", "\0", "\26", "\0\0\1" NANOSECOND "\0\0\1" ZERO)
                    RECORD("\25", "\1", "\0", "\16", "\0\0\0\0\1\1" NANOSECOND);
    static const char spans[] = RECORD("\26", "\1", "\0", "\14", "\0\2\5\7\1\0\0\0\6\1\0\0")
        RECORD("\27", "\1", "\0", "\16", "\0\0\1\1\1\0\0\0\2\1\7\7\1\0")
            RECORD("\30", "\1", "\0", "\10", "\0\1\0\0\0\2\3\4");
    memcpy(recipe + length, timings, sizeof timings - 1);
    save(folder, "recipe-timings", recipe, length + sizeof timings - 1);
    memcpy(recipe + length, spans, sizeof spans - 1);
    save(folder, "recipe-spans", recipe, length + sizeof spans - 1);
}

static void save_recipes(const char *folder)
{
    static const char dictionaries[] = RECORD("\0", "\0", "\0", "\4", "\1k\1v")
        RECORD("\1", "\0", "\0", "\2", "\1a") RECORD("\2", "\0", "\0", "\5", "\1\1\1\1\5")
            RECORD("\3", "\0", "\0", "\6", "\7\1\1\1\0\0") RECORD("\4", "\0", "\0", "\3", "\0\1\1");
    static const char rest[] = RECORD("\5", "\0", "\0", "\14", "\0\2\0\1\0\1\0\3\0\4\0\2")
        RECORD("\6", "\0", "\0", "\3", "\1\0\5") RECORD("\7", "\0", "\0", "\6", "\1\1\1\1\2\1");
    static const char texts[] = RECORD("\1", "\2", "\0", "\4", "\1b\1c")
        RECORD("\1", "\0", "\0", "\3", "\2de") RECORD("\10", "\1", "\0", "\1", "x");
    static const char folded[] = RECORD("\2", "\0", "\0", "\12", "\3\0\0\0\0\4\0\0\0\0")
        RECORD("\5", "\0", "\0", "\26", "\1\4\1\1\1\1\2\1\3\1\0\0\1\1\0\0\7\7\0\0\0\0");
    static const char tasks[] = RECORD("\2", "\0", "\0", "\12", "\5\0\0\0\0\6\0\0\0\0")
        RECORD("\5", "\0", "\0", "\32", "\1\5\1\1\1\1\1\1\2\1\2\3\1\0\1\0\1\1\0\1\0\7\0\0\0\7")
            RECORD("\11", "\1", "\0", "\4", "\2\1\2\2");
    static const char lines[] =
        RECORD("\12", "\1", "\0", "\30", "\1\0\2\0\0\0\1\5\2\7\0\3\1\6\2\4\4\0\1\5\1\1\0\0")
            RECORD("\13", "\1", "\0", "\4", "\1\1\0\1");
    static const char memory[] =
        RECORD("\14", "\1", "\0", "\44",
               "\1\6\0\0\2\7\1\4\1\4\1\3\1\7\1\0\1\2\3\4\5\6\7\10\0\0\2\7\1\2\3\4\5\6\7\10")
            RECORD("\15", "\1", "\0", "\11", "\0\1\0\2\7\4\1\1\3")
                RECORD("\16", "\1", "\0", "\10", "\0\1\2\3\0\4\5\6")
                    RECORD("\17", "\1", "\0", "\14", "\0\1\2\3\4\5\0\0\2\1\1\1")
                        RECORD("\20", "\1", "\0", "\10", "\0\1\1\1\1\2\1\1")
                            RECORD("\21", "\1", "\0", "\5", "\0\1\2\1\7")
                                RECORD("\22", "\1", "\0", "\7", "\0\1\0\1\7\7\3");
    uint8_t recipe[512];
    const size_t length = sizeof dictionaries - 1;
    memcpy(recipe, dictionaries, length);
    memcpy(recipe + length, rest, sizeof rest - 1);
    save(folder, "recipe-sound", recipe, length + sizeof rest - 1);
    memcpy(recipe + length, texts, sizeof texts - 1);
    save(folder, "recipe-texts", recipe, length + sizeof texts - 1);
    memcpy(recipe + length, folded, sizeof folded - 1);
    save(folder, "recipe-folded", recipe, length + sizeof folded - 1);
    memcpy(recipe + length, tasks, sizeof tasks - 1);
    save(folder, "recipe-tasks", recipe, length + sizeof tasks - 1);
    memcpy(recipe + length, lines, sizeof lines - 1);
    save(folder, "recipe-lines", recipe, length + sizeof lines - 1);
    memcpy(recipe + length, memory, sizeof memory - 1);
    save(folder, "recipe-memory", recipe, length + sizeof memory - 1);
    save_newer_recipes(folder, recipe, length);
}

int main(int count, char **words)
{
    if (count != 2) {
        fprintf(stderr, "usage: make_reader_corpus FOLDER\n");
        return 2;
    }
    save_random(words[1]);
    save_full(words[1]);
    save_cut_and_damaged(words[1]);
    save_recipes(words[1]);
    save(words[1], "empty", (const uint8_t *)"", 0);
    return 0;
}
