/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h: a machine as statistics meet it: what it adds to the time of a piece of code.
 *
 * Two candidates are measured in turn, in an order that is random in each round. The noise has a
 * memory: a slow wander (AR(1)), and bursts that begin and end by chance and slow all that is
 * measured meanwhile, by more or less. Samples are preempted and take 2 to 10 times as long. A
 * candidate may have two speeds, between which chance decides anew each few samples. Each process
 * has its luck: a factor for each candidate for as long as it lives. */
#ifndef MACHINE_H
#define MACHINE_H

#include <math.h>

#include "tests/engine/random.h"

typedef struct machine_model {
    const char *name;
    double layout;       /* standard deviation of the ratio of two candidates' luck in a process */
    double jitter;       /* of a sample, independent */
    double wander;       /* of the slow part */
    double memory;       /* of the slow part from a sample to the next, 0 .. 1 */
    double bursts;       /* the chance that one begins with a sample */
    double burst_end;    /* the chance that it ends */
    double burst;        /* how much slower, on average */
    double preempted;    /* the chance of a sample */
    double second_speed; /* how much slower; 0: there is but one */
} machine_model;

typedef struct machine {
    const machine_model *model;
    random_source source;
    double luck[2];
    double wander, burst;
    int slow[2];
} machine;

/* 0 < it < 1. */
static inline double random_share(random_source *source)
{
    return ((double)(random_next(source) >> 12) + 0.5) / 4503599627370496.0;
}

static inline double random_normal(random_source *source) /* Box and Muller */
{
    double radius = sqrt(-2 * log(random_share(source)));
    return radius * cos(6.283185307179586 * random_share(source));
}

static inline int happens(machine *on, double chance)
{
    return random_share(&on->source) < chance;
}

static inline void machine_new_process(machine *on)
{
    for (int i = 0; i < 2; i++)
        on->luck[i] = on->model->layout / sqrt(2) * random_normal(&on->source);
}

/* The time of a sample of one candidate that takes 1 + slower in truth. */
static inline double machine_sample(machine *on, int candidate, double slower)
{
    const machine_model *is = on->model;
    double fresh = sqrt(1 - is->memory * is->memory) * is->wander;
    on->wander = is->memory * on->wander + fresh * random_normal(&on->source);
    if (on->burst > 0 ? happens(on, is->burst_end) : happens(on, is->bursts))
        on->burst = on->burst > 0 ? 0 : -is->burst * log(random_share(&on->source));
    if (is->second_speed > 0 && happens(on, 0.3))
        on->slow[candidate] = happens(on, 0.4);
    double log = on->luck[candidate] + on->wander + is->jitter * random_normal(&on->source);
    double time = (1 + slower) * exp(log);
    if (on->burst > 0) /* what is around it is not steady */
        time *= 1 + on->burst * (0.5 + random_share(&on->source));
    if (on->slow[candidate])
        time *= 1 + is->second_speed;
    if (happens(on, is->preempted))
        time *= 2 + 8 * random_share(&on->source);
    return time;
}

/* One round: a sample of each, in random order. */
static inline void machine_round(machine *on, double slower, double *first, double *second)
{
    int swapped = happens(on, 0.5);
    if (swapped)
        *second = machine_sample(on, 1, slower);
    *first = machine_sample(on, 0, 0);
    if (!swapped)
        *second = machine_sample(on, 1, slower);
}

static const machine_model machine_models[] = {
    /* name, layout, jitter, wander, memory, bursts, end, burst, preempted, second speed */
    {"idle", 0.005, 0.003, 0.005, 0.9, 0.001, 0.2, 0.1, 0.002, 0},
    {"layout", 0.015, 0.003, 0.002, 0.9, 0, 0, 0, 0.001, 0},
    {"bursts", 0.01, 0.01, 0.02, 0.95, 0.02, 0.05, 0.3, 0.01, 0},
    {"heavy tails", 0.01, 0.02, 0.01, 0.5, 0.005, 0.1, 0.5, 0.15, 0},
    {"two speeds", 0.01, 0.005, 0.01, 0.9, 0.001, 0.2, 0.1, 0.01, 0.12},
    {"long bursts", 0.005, 0.02, 0.05, 0.99, 0.005, 0.01, 0.5, 0.05, 0},
};
enum { MACHINE_MODELS = sizeof machine_models / sizeof machine_models[0] };

#endif
