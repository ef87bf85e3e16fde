/* SPDX-License-Identifier: Apache-2.0 */
/* query.c: tables computed from calling-context trees (see query.h).
 *
 * Functions and edges are the same question about different subjects: a subject is a code, or a
 * (caller, callee) pair, and each node belongs to at most one. A depth-first walk over a tree keeps
 * a clock, the sum of the own times passed so far, and for each subject how many of the nodes on
 * the path to here belong to it. What the clock advances between the outermost entry of a subject
 * and its exit is the subject's cumulative time, so no sum per node is stored, and recursion is
 * counted once. The walk is linear and iterative: paths may be as deep as the tree has nodes.
 *
 * Sums saturate: a hostile file may hold any numbers. */
#include "engine/model/query.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/map.h"
#include "engine/base/sum.h"

/* What a node means. It follows from its place and from the kind of its code (see code.h). */
enum role {
    ROLE_NONE,         /* the root: outside every function */
    ROLE_CALL,         /* calls of a function, primitive unless it is on the path already */
    ROLE_ALONE,        /* calls straight below FOLDED: what stands under them is not all theirs */
    ROLE_AGAIN,        /* calls below FOLDED_AGAIN: never primitive, cumulative counted elsewhere */
    ROLE_MARK,         /* a FOLDED node */
    ROLE_MARK_AGAIN,   /* a FOLDED_AGAIN node */
    ROLE_CALLER,       /* below FOLDED: names the caller of its children */
    ROLE_CALLER_AGAIN, /* below FOLDED_AGAIN: likewise */
    ROLE_TASK,         /* its children are called by its parent */
    ROLE_AWAITED       /* how long its parent was suspended */
};

typedef struct step { /* a node as the walk sees it: what ft_node lacks, in a quarter cache line */
    uint32_t first, next; /* child and sibling, 0 for none */
    uint32_t subject;     /* of counted roles: index into tallies; of TASK: the caller's code */
    uint32_t role;
} step;

typedef struct suspension { /* what `step` lacks where there are coroutines */
    uint64_t awaited;       /* in the node and below it, in the same task */
    uint32_t task;          /* the marker above, or 0 */
    uint32_t outer; /* the next node above of the same subject, or 0; while it is on the path */
} suspension;

typedef struct span {
    uint64_t own, waiting;
} span;

typedef struct tally {
    uint32_t caller, callee;
    uint64_t calls, primitive;
    span own, cumulative;
    span since;       /* the clock at the outermost entry, while on_path > 0 */
    uint32_t on_path; /* how many nodes on the path to here belong to this subject */
    uint32_t nearest; /* the last of them that awaits, or 0 */
    uint64_t own_awaited, cumulative_awaited;
} tally;

typedef struct survey {
    const ft_profile *profile;
    bool by_pair;   /* subjects are pairs, numbered as they are met; else subject i is code i */
    ft_map pairs;   /* subject of (caller << 32 | callee) */
    tally *tallies; /* owned */
    uint32_t count, capacity;
    step *steps;             /* owned: room for the largest tree */
    suspension *suspensions; /* likewise; NULL when nothing was awaited */
} survey;

static void advance(span *to, uint64_t own, uint64_t waiting)
{
    to->own = ft_sum(to->own, own);
    to->waiting = ft_sum(to->waiting, waiting);
}

static bool is_counted(uint32_t role)
{
    return role == ROLE_CALL || role == ROLE_ALONE || role == ROLE_AGAIN;
}

static bool is_mark(uint32_t role)
{
    return role == ROLE_MARK || role == ROLE_MARK_AGAIN;
}

static bool is_transparent(uint32_t role)
{
    return role == ROLE_TASK || role == ROLE_AWAITED;
}

static uint32_t role_below_mark(uint32_t mark, uint32_t kind, const ft_node *node)
{
    bool again = mark == ROLE_MARK_AGAIN;
    if (kind != FT_CODE_ROOT && (node->calls | node->own | node->waiting) != 0)
        return again ? ROLE_AGAIN : ROLE_ALONE;
    return again ? ROLE_CALLER_AGAIN : ROLE_CALLER;
}

static uint32_t role_below(uint32_t parent, uint32_t kind, const ft_node *node)
{
    if (kind == FT_CODE_TASK)
        return ROLE_TASK;
    if (kind == FT_CODE_AWAITED)
        return ROLE_AWAITED;
    if (kind == FT_CODE_FOLDED)
        return ROLE_MARK;
    if (kind == FT_CODE_FOLDED_AGAIN)
        return ROLE_MARK_AGAIN;
    if (is_mark(parent))
        return role_below_mark(parent, kind, node);
    if (kind == FT_CODE_ROOT)
        return ROLE_NONE;
    return parent == ROLE_CALLER_AGAIN || parent == ROLE_AGAIN ? ROLE_AGAIN : ROLE_CALL;
}

static ft_status number_pair(survey *all, uint32_t caller, uint32_t callee, uint32_t *subject)
{
    uint64_t key = (uint64_t)caller << 32 | callee;
    const uint32_t *known = ft_map_get(&all->pairs, key);
    if (known != NULL) {
        *subject = *known;
        return FT_OK;
    }
    if (all->count == UINT32_MAX)
        return FT_ERR_LIMIT;
    tally *tallies = ft_array_grow(all->profile->mem, all->tallies, all->count + 1, &all->capacity,
                                   sizeof *tallies);
    if (tallies == NULL)
        return FT_ERR_MEMORY;
    all->tallies = tallies;
    ft_status status = ft_map_put(&all->pairs, key, all->count);
    if (status != FT_OK)
        return status;
    tallies[all->count] = (tally){.caller = caller, .callee = callee};
    *subject = all->count++;
    return FT_OK;
}

/* Who calls the children of a node. */
static uint32_t caller_below(const step *place, const ft_node *node)
{
    if (is_mark(place->role))
        return FT_CODE_NONE;
    return is_transparent(place->role) ? place->subject : node->code;
}

/* Fills steps for a tree: one pass, since parents come before children. */
static ft_status link_tree(survey *all, const ft_tree *tree)
{
    const ft_code *codes = all->profile->codes.codes;
    step *steps = all->steps;
    steps[0] = (step){.role = ROLE_NONE};
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        assert(node->parent < id && node->code < all->profile->codes.count);
        step *above = &steps[node->parent];
        uint32_t subject = node->code;
        uint32_t role = role_below(above->role, codes[node->code].kind, node);
        uint32_t caller = caller_below(above, &tree->nodes[node->parent]);
        if (is_transparent(role))
            subject = caller;
        if (all->by_pair && is_counted(role)) {
            ft_status status = number_pair(all, caller, node->code, &subject);
            if (status != FT_OK)
                return status;
        }
        steps[id] = (step){.next = above->first, .subject = subject, .role = role};
        above->first = id;
    }
    return FT_OK;
}

/* Fills suspensions for a tree whose steps are there: tasks from the front, sums from the back. */
static void sum_awaited(survey *all, const ft_tree *tree)
{
    suspension *places = all->suspensions;
    places[0] = (suspension){0};
    for (uint32_t id = 1; id < tree->count; id++) {
        uint32_t task = all->steps[id].role == ROLE_TASK ? id : places[tree->nodes[id].parent].task;
        places[id] = (suspension){.task = task};
    }
    for (uint32_t id = tree->count - 1; id > 0; id--) {
        const ft_node *node = &tree->nodes[id];
        uint32_t role = all->steps[id].role;
        if (role == ROLE_AWAITED)
            places[id].awaited = ft_sum(places[id].awaited, node->own);
        if (role != ROLE_TASK)
            places[node->parent].awaited = ft_sum(places[node->parent].awaited, places[id].awaited);
    }
}

/* The outermost nodes of a subject within a task count what is awaited below them. */
static void enter_awaited(survey *all, const ft_tree *tree, uint32_t id)
{
    const step *here = &all->steps[id], *above = &all->steps[tree->nodes[id].parent];
    suspension *place = &all->suspensions[id];
    if (here->role == ROLE_AWAITED && is_counted(above->role)) {
        tally *subject = &all->tallies[above->subject];
        subject->own_awaited = ft_sum(subject->own_awaited, tree->nodes[id].own);
    }
    if (!is_counted(here->role) || place->awaited == 0)
        return;
    tally *subject = &all->tallies[here->subject];
    bool outermost = subject->nearest == 0 || subject->nearest < place->task;
    place->outer = subject->nearest;
    subject->nearest = id;
    if (outermost && here->role != ROLE_AGAIN)
        subject->cumulative_awaited = ft_sum(subject->cumulative_awaited, place->awaited);
}

static void leave_awaited(survey *all, uint32_t id)
{
    const step *here = &all->steps[id];
    if (is_counted(here->role) && all->suspensions[id].awaited != 0)
        all->tallies[here->subject].nearest = all->suspensions[id].outer;
}

static void enter(survey *all, const ft_node *node, const step *here, span *clock)
{
    if (!is_counted(here->role))
        return;
    assert(here->subject < all->count);
    tally *subject = &all->tallies[here->subject];
    bool primitive = subject->on_path == 0 && here->role != ROLE_AGAIN;
    subject->calls = ft_sum(subject->calls, node->calls);
    advance(&subject->own, node->own, node->waiting);
    if (primitive)
        subject->primitive = ft_sum(subject->primitive, node->calls);
    if (here->role != ROLE_ALONE && subject->on_path++ == 0)
        subject->since = *clock;
    if (here->role == ROLE_ALONE && primitive)
        advance(&subject->cumulative, node->own, node->waiting);
    advance(clock, node->own, node->waiting);
}

static void leave(survey *all, const step *here, const span *clock)
{
    if (!is_counted(here->role) || here->role == ROLE_ALONE)
        return;
    tally *subject = &all->tallies[here->subject];
    assert(subject->on_path > 0);
    if (--subject->on_path == 0 && here->role == ROLE_CALL)
        advance(&subject->cumulative, clock->own - subject->since.own,
                clock->waiting - subject->since.waiting);
}

static void leave_node(survey *all, uint32_t id, const span *clock)
{
    leave(all, &all->steps[id], clock);
    if (all->suspensions != NULL)
        leave_awaited(all, id);
}

/* Visits every node; the parent ids lead back up, so there is no stack. */
static void walk(survey *all, const ft_tree *tree)
{
    const step *steps = all->steps;
    span clock = {0, 0};
    uint32_t id = 0;
    for (;;) {
        enter(all, &tree->nodes[id], &steps[id], &clock);
        if (all->suspensions != NULL)
            enter_awaited(all, tree, id);
        if (steps[id].first != 0) {
            id = steps[id].first;
            continue;
        }
        leave_node(all, id, &clock);
        while (steps[id].next == 0 && id != 0) {
            id = tree->nodes[id].parent;
            leave_node(all, id, &clock);
        }
        if (id == 0)
            return;
        id = steps[id].next;
    }
}

static bool has_awaited(const ft_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const ft_tree *tree = &profile->threads[i].tree;
        for (uint32_t id = 1; id < tree->count; id++)
            if (profile->codes.codes[tree->nodes[id].code].kind == FT_CODE_AWAITED)
                return true;
    }
    return false;
}

static ft_status survey_room(survey *all)
{
    const ft_profile *profile = all->profile;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++)
        if (profile->threads[i].tree.count > largest)
            largest = profile->threads[i].tree.count;
    if (largest == 0)
        return FT_OK;
    all->steps = ft_mem_resize(profile->mem, NULL, largest, sizeof *all->steps);
    if (all->steps == NULL)
        return FT_ERR_MEMORY;
    if (has_awaited(profile)) {
        all->suspensions = ft_mem_resize(profile->mem, NULL, largest, sizeof *all->suspensions);
        if (all->suspensions == NULL)
            return FT_ERR_MEMORY;
    }
    if (all->by_pair)
        return FT_OK;
    all->tallies = ft_mem_new(profile->mem, profile->codes.count, sizeof *all->tallies);
    if (all->tallies == NULL)
        return FT_ERR_MEMORY;
    all->count = all->capacity = profile->codes.count;
    for (uint32_t i = 0; i < all->count; i++)
        all->tallies[i].callee = i;
    return FT_OK;
}

static void survey_fini(survey *all)
{
    ft_mem_free(all->profile->mem, all->suspensions);
    ft_mem_free(all->profile->mem, all->steps);
    ft_mem_free(all->profile->mem, all->tallies);
    ft_map_fini(&all->pairs);
}

static bool has_something(const tally *subject)
{
    return (subject->calls | subject->own.own | subject->own.waiting | subject->cumulative.own |
            subject->cumulative.waiting | subject->own_awaited | subject->cumulative_awaited) != 0;
}

/* Tallies everything and moves the subjects with calls or time to the front. Whatever it returns,
 * survey_fini frees. */
static ft_status survey_run(survey *all, const ft_profile *profile, bool by_pair)
{
    *all = (survey){.profile = profile, .by_pair = by_pair};
    ft_map_init(&all->pairs, profile->mem);
    ft_status status = survey_room(all);
    for (uint32_t i = 0; i < profile->thread_count && status == FT_OK; i++) {
        status = link_tree(all, &profile->threads[i].tree);
        if (status == FT_OK && all->suspensions != NULL)
            sum_awaited(all, &profile->threads[i].tree);
        if (status == FT_OK)
            walk(all, &profile->threads[i].tree);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (has_something(&all->tallies[i]))
            all->tallies[kept++] = all->tallies[i];
    all->count = kept;
    return status;
}

ft_status ft_query_functions(const ft_profile *profile, ft_function_row **rows, uint32_t *count)
{
    survey all;
    ft_function_row *made = NULL;
    ft_status status = survey_run(&all, profile, false);
    if (status != FT_OK)
        goto end;
    if (all.count > 0 && (made = ft_mem_new(profile->mem, all.count, sizeof *made)) == NULL) {
        status = FT_ERR_MEMORY;
        goto end;
    }
    for (uint32_t i = 0; i < all.count; i++) {
        const tally *from = &all.tallies[i];
        made[i] = (ft_function_row){from->callee,
                                    from->calls,
                                    from->primitive,
                                    from->own.own,
                                    from->cumulative.own,
                                    from->own.waiting,
                                    from->cumulative.waiting,
                                    from->own_awaited,
                                    from->cumulative_awaited};
    }
    *rows = made;
    *count = all.count;
end:
    survey_fini(&all);
    return status;
}

static int compare_edges(const void *left, const void *right)
{
    const ft_edge_row *a = left, *b = right;
    if (a->callee != b->callee)
        return a->callee < b->callee ? -1 : 1;
    return (a->caller > b->caller) - (a->caller < b->caller);
}

ft_status ft_query_edges(const ft_profile *profile, ft_edge_row **rows, uint32_t *count)
{
    survey all;
    ft_edge_row *made = NULL;
    ft_status status = survey_run(&all, profile, true);
    if (status != FT_OK)
        goto end;
    if (all.count > 0 && (made = ft_mem_new(profile->mem, all.count, sizeof *made)) == NULL) {
        status = FT_ERR_MEMORY;
        goto end;
    }
    for (uint32_t i = 0; i < all.count; i++) {
        const tally *from = &all.tallies[i];
        made[i] = (ft_edge_row){from->caller,      from->callee,
                                from->calls,       from->primitive,
                                from->own.own,     from->cumulative.own,
                                from->own.waiting, from->cumulative.waiting,
                                from->own_awaited, from->cumulative_awaited};
    }
    if (made != NULL)
        qsort(made, all.count, sizeof *made, compare_edges);
    *rows = made;
    *count = all.count;
end:
    survey_fini(&all);
    return status;
}

ft_status ft_query_totals(const ft_profile *profile, ft_totals *totals)
{
    survey all;
    ft_totals made = {0};
    ft_status status = survey_run(&all, profile, false);
    for (uint32_t i = 0; i < all.count && status == FT_OK; i++) {
        const tally *from = &all.tallies[i];
        made.calls = ft_sum(made.calls, from->calls);
        made.primitive = ft_sum(made.primitive, from->primitive);
        made.own = ft_sum(made.own, from->own.own);
        made.waiting = ft_sum(made.waiting, from->own.waiting);
    }
    for (uint32_t i = 0; i < profile->thread_count; i++)
        made.nodes += profile->threads[i].tree.count;
    if (status == FT_OK)
        *totals = made;
    survey_fini(&all);
    return status;
}
