/* SPDX-License-Identifier: Apache-2.0 */
/* flights.c: results that are being computed (see flights.h). */
#include "glue/caching/flights.h"

#include "engine/base/clock.h"

/* A gate is shared by the flight's owner, until it lands, and by those who wait. */
struct ft_gate {
    PyThread_type_lock lock; /* held until the landing; then each waiter lets the next one in */
    uint32_t refs;
    bool landed;
    PyObject *value;
    pthread_t owner;
    uint32_t forks; /* the flight's: of another process there is no owner */
};

/* On the heap, as flights are. */
struct ft_wait {
    ft_wait *next, **link;
    pthread_t thread;
    uint32_t forks;
    const ft_gate *gate;
};

/* How often this process is a child of a fork: the one static, written by the only thread that a
 * new child has. */
uint32_t ft_flights_forks;

static void count_fork(void)
{
    ft_flights_forks++;
}

int ft_flights_prepare(void)
{
    static bool prepared; /* a handler can not be taken back: once is enough */
    if (!prepared && pthread_atfork(NULL, NULL, count_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    prepared = true;
    return 0;
}

/* ---- gates ---- */

static ft_gate *gate_new(const ft_flight *flight)
{
    ft_gate *gate = PyMem_Calloc(1, sizeof *gate);
    if (gate == NULL)
        return NULL;
    gate->lock = PyThread_allocate_lock();
    if (gate->lock == NULL) {
        PyMem_Free(gate);
        return NULL;
    }
    PyThread_acquire_lock(gate->lock, NOWAIT_LOCK); /* nobody else has seen it */
    gate->refs = 1;
    gate->owner = flight->thread;
    gate->forks = flight->forks;
    return gate;
}

static void gate_release(ft_gate *gate)
{
    if (--gate->refs > 0)
        return;
    PyThread_free_lock(gate->lock);
    Py_XDECREF(gate->value);
    PyMem_Free(gate);
}

/* ---- flights ---- */

static ft_flight **bucket_of(ft_flights *flights, uint32_t hash)
{
    return &flights->buckets[(hash >> 8) % FT_FLIGHT_BUCKETS];
}

void ft_flights_fini(ft_flights *flights)
{
    while (flights->spare != NULL) {
        ft_flight *flight = flights->spare;
        flights->spare = flight->next;
        PyMem_Free(flight);
    }
    flights->spares = 0;
}

ft_flight *ft_flights_begin_another(ft_flights *flights, const ft_results *results, uint32_t hash,
                                    PyObject *kept)
{
    ft_flight *flight = flights->spare;
    if (flight != NULL) {
        flights->spare = flight->next;
        flights->spares--;
    } else {
        flight = PyMem_Malloc(sizeof *flight);
        if (flight == NULL)
            return NULL;
    }
    ft_flight **bucket = bucket_of(flights, hash);
    *flight = (ft_flight){
        .next = *bucket,
        .link = bucket,
        .results = results,
        .kept = kept,
        .hash = hash,
        .forks = ft_flights_forks,
        .thread = pthread_self(),
    };
    if (*bucket != NULL)
        (*bucket)->link = &flight->next;
    *bucket = flight;
    flights->others++;
    flights->version++;
    return flight;
}

void ft_flights_land_another(ft_flights *flights, ft_flight *flight)
{
    *flight->link = flight->next;
    if (flight->next != NULL)
        flight->next->link = flight->link;
    flights->others--;
    if (flights->spares == FT_FLIGHTS_SPARE) {
        PyMem_Free(flight);
        return;
    }
    flight->next = flights->spare;
    flights->spare = flight;
    flights->spares++;
}

void ft_flights_open(ft_gate *gate, PyObject *value)
{
    gate->landed = true;
    gate->value = Py_XNewRef(value);
    PyThread_release_lock(gate->lock);
    gate_release(gate);
}

/* Is it the key's? 1, 0, -1 with an exception, or FT_SAME_UNKNOWN when other flights are there now.
 */
static int is_of(const ft_flights *flights, const ft_flight *flight, const ft_call_key *key)
{
    PyObject *kept = flight->kept;
    int same = ft_key_same(kept, key);
    if (same != FT_SAME_UNKNOWN)
        return same;
    uint64_t version = flights->version;
    Py_INCREF(kept);
    same = ft_key_equal(kept, key);
    Py_DECREF(kept);
    return same >= 0 && flights->version != version ? FT_SAME_UNKNOWN : same;
}

/* May it be the one that is looked for: another thread's, of this process? */
static bool may_be(const ft_flight *flight, const ft_results *results, uint32_t hash)
{
    return flight->kept != NULL && flight->hash == hash && flight->results == results &&
           flight->forks == ft_flights_forks && !pthread_equal(flight->thread, pthread_self());
}

/* Another thread's flight of that key, of this process: as is_of says. */
static int search(ft_flights *flights, const ft_results *results, const ft_call_key *key,
                  ft_flight **found)
{
    ft_flight *at = &flights->first;
    for (int same; at != NULL; at = at->next) {
        if (may_be(at, results, key->hash) && (same = is_of(flights, at, key)) != 0) {
            *found = at;
            return same;
        }
        if (at == &flights->first) /* the first of all is in no bucket */
            at->next = *bucket_of(flights, key->hash);
    }
    return 0;
}

/* The same, 1, 0 or -1: where flights come and go too quickly to tell, there is none. */
static int find(ft_flights *flights, const ft_results *results, const ft_call_key *key,
                ft_flight **found)
{
    enum { SEARCHES = 8 };
    int same = FT_SAME_UNKNOWN;
    for (int i = 0; i < SEARCHES && same == FT_SAME_UNKNOWN; i++)
        same = search(flights, results, key, found);
    return same == FT_SAME_UNKNOWN ? 0 : same;
}

/* ---- waiting ---- */

/* What that thread waits for, last of all; NULL: nothing. */
static const ft_gate *awaited_by(const ft_wait *waits, pthread_t thread)
{
    while (waits != NULL &&
           (!pthread_equal(waits->thread, thread) || waits->forks != ft_flights_forks))
        waits = waits->next;
    return waits == NULL ? NULL : waits->gate;
}

/* Would the owner of the gate wait for this thread, were this thread to wait for it? A chain of
 * more threads than any program has is a circle of others', which ends with their patience. */
static bool is_circle(const ft_wait *waits, const ft_gate *gate)
{
    enum { LONGEST = 100000 };
    for (int i = 0; i < LONGEST && gate != NULL; i++) {
        if (pthread_equal(gate->owner, pthread_self()))
            return true;
        gate = awaited_by(waits, gate->owner);
    }
    return gate != NULL;
}

/* Is it a thread of this interpreter? Who is one stays one while the GIL is held. */
static bool is_alive(pthread_t thread)
{
    PyThreadState *at = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (at != NULL && at->thread_id != (unsigned long)thread)
        at = PyThreadState_Next(at);
    return at != NULL;
}

/* The CPU time of a thread in ns; 0 where it can not be had. A flight's thread may be gone: in
 * greenlets, which end later. */
static uint64_t cpu_of(pthread_t thread)
{
    clockid_t clock;
    struct timespec time;
    bool is_had = is_alive(thread) && pthread_getcpuclockid(thread, &clock) == 0 &&
                  clock_gettime(clock, &time) == 0;
    return is_had ? ft_clock_ns_of(time) : 0;
}

static const double ns_per_second = 1e9;

/* Is there nothing to wait for? A signal handler may fork, and then the owner is not here. */
static bool is_over(const ft_gate *gate)
{
    return gate->landed || gate->forks != ft_flights_forks;
}

enum { STRETCH_NS = 10000000, LONGEST_STRETCH_NS = 1000000000 };

/* Waits for at most so many seconds, without the GIL. 0, or -1 with a signal handler's exception.
 *
 * A signal that another thread gets, or that comes just before the lock is waited for, wakes nobody
 * here: it is heard of at the end of the stretch. Stretches grow, so that waiting costs nothing. */
static int wait_at(ft_gate *gate, double seconds)
{
    uint64_t end = ft_clock_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * ns_per_second);
    for (uint64_t stretch = STRETCH_NS; !is_over(gate);) {
        uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
        if (now >= end)
            return 0;
        uint64_t left = end - now, ns = left < stretch ? left : stretch;
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(gate->lock, (PY_TIMEOUT_T)(ns / 1000) + 1, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED)
            PyThread_release_lock(gate->lock); /* let the next one in */
        else if (PyErr_CheckSignals() < 0)
            return -1;
        stretch = stretch < LONGEST_STRETCH_NS / 2 ? stretch * 2 : LONGEST_STRETCH_NS;
    }
    return 0;
}

/* Waits until it landed or patience is over: an owner that took an eighth of the CPU time of the
 * last stretch is at work. 0, or -1 with an exception. */
static int wait_patiently(ft_gate *gate, ft_patience patience)
{
    const double least_share = 0.125;
    for (double waited = 0; !is_over(gate); waited += patience.still) {
        uint64_t before = cpu_of(gate->owner);
        if (wait_at(gate, patience.still) < 0)
            return -1;
        if (is_over(gate) || waited + patience.still >= patience.working)
            break;
        uint64_t after = cpu_of(gate->owner);
        double used = after > before ? (double)(after - before) / ns_per_second : 0;
        if (used < patience.still * least_share)
            break;
    }
    return 0;
}

/* This thread is one of those who wait at the gate; NULL: there is no memory. */
static ft_wait *wait_begin(ft_wait **waits, ft_gate *gate)
{
    ft_wait *wait = PyMem_Malloc(sizeof *wait);
    if (wait == NULL)
        return NULL;
    *wait = (ft_wait){*waits, waits, pthread_self(), ft_flights_forks, gate};
    if (*waits != NULL)
        (*waits)->link = &wait->next;
    *waits = wait;
    gate->refs++;
    return wait;
}

static void wait_end(ft_wait *wait)
{
    *wait->link = wait->next;
    if (wait->next != NULL)
        wait->next->link = wait->link;
    PyMem_Free(wait);
}

ft_waited ft_flights_wait(ft_flights *flights, const ft_results *results, const ft_call_key *key,
                          ft_patience patience, ft_wait **waits, PyObject **value)
{
    ft_flight *flight;
    int found = find(flights, results, key, &flight);
    if (found <= 0)
        return found < 0 ? FT_WAITED_FAILED : FT_WAITED_NOT;
    if (flight->gate == NULL)
        flight->gate = gate_new(flight);
    ft_gate *gate = flight->gate;
    /* At the interpreter's end threads stop where they are. */
    if (gate == NULL || Py_IsFinalizing() || is_circle(*waits, gate))
        return FT_WAITED_NOT;
    ft_wait *wait = wait_begin(waits, gate);
    if (wait == NULL)
        return FT_WAITED_NOT;
    int result = wait_patiently(gate, patience);
    wait_end(wait);
    ft_waited ended = FT_WAITED_VALUE;
    if (result < 0)
        ended = FT_WAITED_FAILED;
    else if (gate->value == NULL)
        ended = gate->landed ? FT_WAITED_AGAIN : FT_WAITED_NOT;
    else
        *value = Py_NewRef(gate->value);
    gate_release(gate);
    return ended;
}
