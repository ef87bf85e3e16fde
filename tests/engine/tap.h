/* SPDX-License-Identifier: Apache-2.0 */
/* tap.h: the whole test framework of the C tests: CHECK prints a TAP line, tap_end() the plan. */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failed;

/* Prints "ok" or "not ok" with the source text of the condition; yields whether it held. */
#define CHECK(condition) tap_check((condition) != 0, #condition, __FILE__, __LINE__)

/* For a condition without which the rest makes no sense. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!CHECK(condition))                                                                     \
            exit(tap_end());                                                                       \
    } while (0)

static int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

static int tap_check(int held, const char *text, const char *file, int line)
{
    tap_count++;
    if (held)
        printf("ok %d - %s\n", tap_count, text);
    else
        printf("not ok %d - %s # %s:%d\n", tap_count, text, file, line);
    tap_failed += !held;
    fflush(stdout);
    return held;
}

#endif
