/* SPDX-License-Identifier: Apache-2.0 */
/* flights.h: results that are being computed, so that nobody computes them a second time.
 *
 * Whoever misses a key begins a flight and lands it with the result. A thread that misses the same
 * key meanwhile waits for the landing. Nobody waits who must not: not for itself, not in a circle
 * of threads that wait for each other, not for a thread from before a fork; and nobody waits for
 * ever, since the owner may itself wait for the waiter in a way that is not seen here (a pool's
 * task). Whoever does not wait computes.
 *
 * The GIL protects all of it. Flights lie on the heap: in a forked child the stacks of the other
 * threads are gone. */
#ifndef FT_GLUE_FLIGHTS_H
#define FT_GLUE_FLIGHTS_H

#include "glue/caching/results.h"

#include <pthread.h>

/* Somebody waits: what the owner leaves for them. */
typedef struct ft_gate ft_gate;

typedef struct ft_flight {
    struct ft_flight *next, **link; /* in its bucket; link: what points here; NULL: the first one */
    const ft_results *results;      /* whose key it is: compared, never followed */
    PyObject *kept;                 /* the key; borrowed from who began it */
    uint32_t hash;
    uint32_t forks;   /* how often the process had been forked when it began */
    pthread_t thread; /* in greenlets it may end before the flight does */
    ft_gate *gate;    /* NULL: nobody waits */
} ft_flight;

enum { FT_FLIGHT_BUCKETS = 32, FT_FLIGHTS_SPARE = 16 };

typedef struct ft_flights {
    ft_flight first; /* most often there is one at most; kept NULL: it is free */
    ft_flight *buckets[FT_FLIGHT_BUCKETS];
    ft_flight *spare; /* ended ones, to be used again */
    uint32_t spares;
    uint32_t others;  /* flights in buckets */
    uint64_t version; /* another one whenever a flight began or ended */
} ft_flights;

/* Who waits for whom, of one interpreter: a circle is found here. */
typedef struct ft_wait ft_wait;

/* How long to wait, in seconds. */
typedef struct ft_patience {
    double still;   /* for an owner that does not compute; 0: nobody waits */
    double working; /* for one that does */
} ft_patience;

/* Heard of by every fork from now on. 0, or -1 with an exception. */
int ft_flights_prepare(void);

/* Frees the spare ones. Flights that are still there belong to threads from before a fork. */
void ft_flights_fini(ft_flights *flights);

extern uint32_t ft_flights_forks; /* how often this process is a child of a fork */

/* ft_flights_begin and _land where there are more than one. */
ft_flight *ft_flights_begin_another(ft_flights *flights, const ft_results *results, uint32_t hash,
                                    PyObject *kept);
void ft_flights_land_another(ft_flights *flights, ft_flight *flight);

/* Lets those in who wait at a flight's gate. */
void ft_flights_open(ft_gate *gate, PyObject *value);

/* Begins one; NULL: there is no memory, and nobody can wait. kept must live until it lands. */
static inline ft_flight *ft_flights_begin(ft_flights *flights, const ft_results *results,
                                          uint32_t hash, PyObject *kept)
{
    ft_flight *first = &flights->first;
    if (first->kept != NULL)
        return ft_flights_begin_another(flights, results, hash, kept);
    first->results = results;
    first->kept = kept;
    first->hash = hash;
    first->forks = ft_flights_forks;
    first->thread = pthread_self();
    first->gate = NULL;
    flights->version++;
    return first;
}

/* Ends one (NULL: nothing happens): wakes who waits. value: the result; NULL: there is none, and
 * one of those who wait computes. The exception that is set stays. */
static inline void ft_flights_land(ft_flights *flights, ft_flight *flight, PyObject *value)
{
    if (flight == NULL)
        return;
    ft_gate *gate = flight->gate;
    flights->version++;
    if (flight == &flights->first)
        flight->kept = NULL;
    else
        ft_flights_land_another(flights, flight);
    if (gate != NULL)
        ft_flights_open(gate, value);
}

/* Is anything being computed? */
static inline bool ft_flights_are(const ft_flights *flights)
{
    return flights->first.kept != NULL || flights->others > 0;
}

typedef enum ft_waited {
    FT_WAITED_FAILED = -1, /* an exception: of a comparison or a signal handler */
    FT_WAITED_NOT,         /* there is no flight to wait for: compute */
    FT_WAITED_VALUE,       /* *value is the result, a new reference */
    FT_WAITED_AGAIN        /* the owner had an exception: look again */
} ft_waited;

/* Waits for another thread's flight of that key. Lets go of the GIL. */
ft_waited ft_flights_wait(ft_flights *flights, const ft_results *results, const ft_call_key *key,
                          ft_patience patience, ft_wait **waits, PyObject **value);

#endif
