/* SPDX-License-Identifier: Apache-2.0 */
/* folders.h: a folder for a test to fill, and its end. */
#ifndef FOLDERS_H
#define FOLDERS_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_BYTES = 200 };

/* A fresh folder's path, in name. */
static inline const char *folder_make(char name[FOLDER_BYTES])
{
    const char *above = getenv("TMPDIR");
    snprintf(name, FOLDER_BYTES, "%s/fettle-XXXXXX", above != NULL ? above : "/tmp");
    if (mkdtemp(name) == NULL) {
        perror(name);
        exit(99);
    }
    return name;
}

static inline int folder_remove_one(const char *path, const struct stat *is, int kind,
                                    struct FTW *where)
{
    (void)is;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void folder_remove(const char *name)
{
    nftw(name, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
