/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c: which process computes which key. */
#include "engine/store/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const off_t WAITERS_AT = (off_t)1 << 62;

static off_t offset_of(ft_digest key)
{
    return (off_t)(key.low >> 2); /* below WAITERS_AT */
}

static int lock_byte(const ft_claims *claims, int command, short type, off_t at, pid_t *owner)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    int failed = fcntl(claims->fd, command, &lock);
    if (failed == 0 && owner != NULL)
        *owner = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
    return failed;
}

void ft_claims_init(ft_claims *claims)
{
    claims->fd = -1;
    claims->waiting = 0;
    pthread_mutex_init(&claims->lock, NULL);
}

void ft_claims_fini(ft_claims *claims)
{
    ft_claims_close(claims);
    pthread_mutex_destroy(&claims->lock);
}

void ft_claims_open(ft_claims *claims, const ft_folder *folder)
{
    claims->fd = ft_folder_file(folder, "claims", O_RDWR | O_CREAT);
}

void ft_claims_close(ft_claims *claims)
{
    if (claims->fd >= 0)
        close(claims->fd);
    claims->fd = -1;
}

enum { STAT_BYTES = 512 };

/* What the system says of a process, from its state on; NULL: nothing, as of one in another
 * container. */
static const char *state_of(pid_t process, char text[STAT_BYTES])
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t got = read(fd, text, STAT_BYTES - 1);
    close(fd);
    if (got <= 0)
        return NULL;
    text[got] = 0;
    const char *end = strrchr(text, ')'); /* the state comes after the name */
    return end != NULL && end[1] == ' ' ? end + 2 : NULL;
}

/* Is a process stopped by a signal? */
static bool is_stopped(pid_t process)
{
    char text[STAT_BYTES];
    const char *state = state_of(process, text);
    return state != NULL && (*state == 'T' || *state == 't');
}

uint64_t ft_claims_owner_cpu(const ft_claims *claims, ft_digest key)
{
    char text[STAT_BYTES];
    unsigned long long user, system;
    pid_t owner = 0;
    long ticks = sysconf(_SC_CLK_TCK);
    if (claims->fd < 0 || ticks <= 0 ||
        lock_byte(claims, F_GETLK, F_WRLCK, offset_of(key), &owner) < 0 || owner <= 0)
        return UINT64_MAX;
    const char *state = state_of(owner, text);
    /* after the state: ten numbers, then those of user and system time */
    if (state == NULL ||
        sscanf(state, "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user, &system) != 2)
        return UINT64_MAX;
    return (uint64_t)(user + system) * (1000000000 / (uint64_t)ticks);
}

ft_claim ft_claims_take(const ft_claims *claims, ft_digest key)
{
    pid_t owner = 0, waits = 0;
    if (claims->fd < 0)
        return FT_CLAIM_NOBODYS;
    if (lock_byte(claims, F_SETLK, F_WRLCK, offset_of(key), NULL) == 0)
        return FT_CLAIM_MINE;
    if (errno != EAGAIN && errno != EACCES)
        return FT_CLAIM_NOBODYS;
    if (lock_byte(claims, F_GETLK, F_WRLCK, offset_of(key), &owner) < 0 || owner <= 0)
        return FT_CLAIM_OTHERS;
    if (is_stopped(owner))
        return FT_CLAIM_STOPPED;
    if (lock_byte(claims, F_GETLK, F_WRLCK, WAITERS_AT + owner, &waits) == 0 && waits == owner)
        return FT_CLAIM_WAITING;
    return FT_CLAIM_OTHERS;
}

void ft_claims_drop(const ft_claims *claims, ft_digest key)
{
    if (claims->fd >= 0)
        lock_byte(claims, F_SETLK, F_UNLCK, offset_of(key), NULL);
}

void ft_claims_wait(ft_claims *claims, bool waits)
{
    if (claims->fd < 0)
        return;
    pthread_mutex_lock(&claims->lock);
    if (waits ? claims->waiting++ == 0 : --claims->waiting == 0)
        lock_byte(claims, F_SETLK, waits ? F_WRLCK : F_UNLCK, WAITERS_AT + getpid(), NULL);
    pthread_mutex_unlock(&claims->lock);
}
