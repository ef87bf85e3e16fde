/* SPDX-License-Identifier: Apache-2.0 */
/* failing_calls.h: the system calls that change files, of which each in turn fails or is where the
 * process is killed. For one program only: the C library's functions are replaced by these of the
 * same names. */
#ifndef FAILING_CALLS_H
#define FAILING_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    long left; /* calls that still succeed; negative: all do */
    int error;
    bool for_ever; /* all after it fail too */
    bool failed, part;
    bool kills; /* instead the process is killed before the call */
} failing = {.left = -1};

static bool fails(void)
{
    if (failing.left < 0 || failing.left-- > 0)
        return false;
    if (failing.kills)
        raise(SIGKILL);
    failing.failed = true;
    if (failing.for_ever)
        failing.left = 0;
    errno = failing.error;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    if (!fails())
        return syscall(SYS_pwrite64, fd, bytes, length, at);
    if (failing.error == ENOSPC && length > 1 && !failing.part) { /* a part of it fits */
        failing.part = true;
        failing.left = 0;
        return syscall(SYS_pwrite64, fd, bytes, length / 2, at);
    }
    return -1;
}

int ftruncate(int fd, off_t length)
{
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int posix_fallocate(int fd, off_t from, off_t length)
{
    return fails() ? errno : syscall(SYS_fallocate, fd, 0, from, length) < 0 ? errno : 0;
}

int renameat(int from, const char *old, int to, const char *new)
{
    return fails() ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_linkat, from, old, to, new, flags);
}

int unlinkat(int from, const char *name, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_unlinkat, from, name, flags);
}

int mkdirat(int from, const char *name, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_mkdirat, from, name, mode);
}

int openat(int from, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    bool changes = (flags & O_CREAT) != 0;
    return (changes || !failing.kills) && fails()
               ? -1
               : (int)syscall(SYS_openat, from, name, flags, mode);
}

#endif
