/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: runs a fuzz target over files and folders of files given as arguments, so that what a
 * fuzzer once found stays tested by any compiler. A crash of the target is the failure; the last
 * name on stderr is the input. Finding no input at all is a failure too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, const char *path)
{
    fprintf(stderr, "replay: can not %s %s\n", what, path);
    exit(2);
}

static void replay_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size + (size == 0)); /* exactly as large as the input: */
    FILE *file = fopen(path, "rb");              /* a read behind it is found by a sanitizer */
    if (bytes == NULL || file == NULL || fread(bytes, 1, size, file) != size)
        die("read", path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

static int replay(const char *path);

static int replay_folder(const char *path)
{
    char name[4096];
    int count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL)
        die("open", path);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= (int)sizeof name)
            die("name a file in", path);
        count += replay(name);
    }
    closedir(folder);
    return count;
}

/* The number of inputs at path. */
static int replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        die("find", path);
    if (S_ISDIR(info.st_mode))
        return replay_folder(path);
    replay_file(path, (size_t)info.st_size);
    return 1;
}

int main(int count, char **paths)
{
    int inputs = 0;
    for (int i = 1; i < count; i++)
        inputs += replay(paths[i]);
    printf("%d inputs\n", inputs);
    return inputs == 0;
}
