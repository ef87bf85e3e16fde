/* SPDX-License-Identifier: Apache-2.0 */
/* outline.c: the call trees of a profile as one tree small enough to read (see outline.h).
 *
 * Every line that could be shown is a cell: the recording, each process, each thread, each node but
 * the roots. Cells are numbered so that the parent of each has a smaller number, whatever it hangs
 * under: a pass from the back sums subtrees and finds what leads to a wanted cell, a pass from the
 * front makes the rows. No pass recurses: paths may be as deep as the trees have nodes.
 *
 * Where something else than the caller is to stand above a node, its cell has another parent.
 *
 * A cell's weight is 1 + the cumulative time of the heaviest wanted cell in its subtree, itself
 * included, and what it awaited; 0 if there is none. No cell weighs more than its parent, so those
 * above any weight are a tree, and so are the heaviest N if of equal ones the first wins. */
#include "engine/model/outline.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/map.h"
#include "engine/base/sum.h"

typedef struct cell {
    uint64_t cumulative, waiting;
    uint64_t own_awaited, awaited; /* by itself, with the cells below */
    uint64_t weight;
    uint32_t parent; /* a cell with a smaller number; 0, the recording, is its own */
    uint32_t row;    /* of a shown cell; else of the nearest shown one above */
    bool wanted;
    bool hidden;  /* no line: those below it belong to its parent */
    bool of_loop; /* the outermost call of a task: who created it does not await what it awaits */
} cell;

typedef struct outline {
    const ft_profile *profile;
    const ft_outline_wish *wish;
    cell *cells; /* owned: recording, processes, threads, nodes */
    uint32_t cell_count, first_thread, first_node;
    uint32_t *threads_of; /* owned: how many threads each process has */
    uint64_t least;       /* a cell is shown if it weighs more */
    ft_outline_row *rows; /* owned until it is given away */
    uint32_t row_count, row_room;
    ft_map folded; /* set of (row << 32 | code) */
} outline;

/* ---- cells ---- */

static ft_status make_room(outline *all)
{
    const ft_profile *profile = all->profile;
    uint64_t count = 1 + (uint64_t)profile->process_count + profile->thread_count;
    all->first_thread = 1 + profile->process_count;
    all->first_node = (uint32_t)count;
    for (uint32_t i = 0; i < profile->thread_count; i++)
        count += profile->threads[i].tree.count - 1;
    if (count >= UINT32_MAX)
        return FT_ERR_LIMIT;
    all->cell_count = (uint32_t)count;
    all->cells = ft_mem_new(profile->mem, count, sizeof *all->cells);
    all->threads_of =
        ft_mem_new(profile->mem, (size_t)profile->process_count + 1, sizeof *all->threads_of);
    return all->cells == NULL || all->threads_of == NULL ? FT_ERR_MEMORY : FT_OK;
}

/* Processes and threads: the cells of those that are alone stay empty. */
static void lay_out_top(outline *all)
{
    bool everything = all->wish->wanted == NULL;
    for (uint32_t i = 0; i < all->first_node; i++)
        all->cells[i].wanted = everything;
    for (uint32_t i = 0; i < all->profile->thread_count; i++) {
        uint32_t process = all->profile->threads[i].process;
        all->threads_of[process]++;
        all->cells[all->first_thread + i].parent =
            all->profile->process_count > 1 ? 1 + process : 0;
    }
}

/* The cell under which the first calls of a thread stand. */
static uint32_t top_of(const outline *all, uint32_t thread)
{
    uint32_t at = all->first_thread + thread;
    return all->threads_of[all->profile->threads[thread].process] > 1 ? at : all->cells[at].parent;
}

static uint32_t kind_of(const outline *all, uint32_t code)
{
    return all->profile->codes.codes[code].kind;
}

/* Whether the counters of nodes with this code count: as in query.c. */
static bool is_function(const outline *all, uint32_t code)
{
    uint32_t kind = kind_of(all, code);
    return kind == FT_CODE_PYTHON || kind == FT_CODE_C;
}

/* Where a node stands whose caller is in this cell. */
static uint32_t below(const outline *all, uint32_t at)
{
    return all->cells[at].hidden ? all->cells[at].parent : at;
}

/* A node that is no call. The tasks below a marker go where their creator is. */
static void lay_out_hidden(outline *all, const ft_tree *tree, uint32_t id, uint32_t first)
{
    const ft_node *node = &tree->nodes[id];
    cell *made = &all->cells[first + id - 1], *above = &all->cells[made->parent];
    uint32_t creator = ft_tree_creator(tree, id);
    made->wanted = false;
    made->hidden = true;
    if (creator != 0)
        made->parent = below(all, first + creator - 1);
    if (kind_of(all, node->code) == FT_CODE_AWAITED)
        above->own_awaited = above->awaited = ft_sum(above->awaited, node->own);
}

static bool is_hidden(const outline *all, uint32_t code)
{
    uint32_t kind = kind_of(all, code);
    return kind == FT_CODE_TASK || kind == FT_CODE_AWAITED;
}

static void lay_out_thread(outline *all, uint32_t thread, uint32_t first)
{
    const ft_tree *tree = &all->profile->threads[thread].tree;
    const bool *wanted = all->wish->wanted;
    uint32_t top = top_of(all, thread);
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        cell *made = &all->cells[first + id - 1];
        assert(node->parent < id);
        made->parent = node->parent == 0 ? top : below(all, first + node->parent - 1);
        made->wanted = wanted == NULL || wanted[node->code];
        if (is_hidden(all, node->code))
            lay_out_hidden(all, tree, id, first);
        if (!is_function(all, node->code))
            continue;
        made->of_loop = kind_of(all, tree->nodes[node->parent].code) == FT_CODE_TASK;
        made->cumulative = node->own; /* so far */
        made->waiting = node->waiting;
        made->weight = made->wanted && node->calls > 0;
    }
}

static void sum_up(outline *all)
{
    for (uint32_t i = all->cell_count - 1; i > 0; i--) {
        cell *at = &all->cells[i], *above = &all->cells[at->parent];
        assert(at->parent < i);
        if (at->wanted && (at->cumulative | at->waiting | at->awaited) != 0)
            at->weight = ft_sum(ft_sum(at->cumulative, at->awaited), 1);
        above->cumulative = ft_sum(above->cumulative, at->cumulative);
        above->waiting = ft_sum(above->waiting, at->waiting);
        if (!at->of_loop && !at->hidden)
            above->awaited = ft_sum(above->awaited, at->awaited);
        if (at->weight > above->weight)
            above->weight = at->weight;
    }
}

/* ---- which are shown ---- */

typedef struct candidate {
    uint64_t weight;
    uint32_t cell;
} candidate;

static int compare_candidates(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return (a->cell > b->cell) - (a->cell < b->cell);
}

static uint64_t least_weight(double share, uint64_t total)
{
    double least = share * (double)total;
    if (!(least > 0.0))
        return 0;
    if (least >= (double)UINT64_MAX)
        return UINT64_MAX - 1;
    uint64_t whole = (uint64_t)least;
    return whole + ((double)whole < least); /* what takes exactly the share is shown */
}

/* Takes the weight of all but the heaviest wish->rows. */
static ft_status drop_light(outline *all, uint32_t shown)
{
    candidate *list = ft_mem_new(all->profile->mem, shown, sizeof *list);
    uint32_t count = 0;
    if (list == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 1; i < all->cell_count; i++)
        if (all->cells[i].weight > all->least)
            list[count++] = (candidate){all->cells[i].weight, i};
    assert(count == shown);
    qsort(list, count, sizeof *list, compare_candidates);
    for (uint32_t i = all->wish->rows; i < count; i++)
        all->cells[list[i].cell].weight = 0;
    ft_mem_free(all->profile->mem, list);
    return FT_OK;
}

static ft_status choose(outline *all)
{
    uint32_t shown = 0;
    all->least = least_weight(all->wish->least, all->cells[0].cumulative);
    for (uint32_t i = 1; i < all->cell_count; i++)
        shown += all->cells[i].weight > all->least;
    if (all->wish->rows != 0 && shown > all->wish->rows) {
        ft_status status = drop_light(all, shown);
        if (status != FT_OK)
            return status;
        shown = all->wish->rows;
    }
    all->row_room = shown + 1;
    all->rows = ft_mem_new(all->profile->mem, all->row_room, sizeof *all->rows);
    return all->rows == NULL ? FT_ERR_MEMORY : FT_OK;
}

/* ---- rows ---- */

static ft_status fold(outline *all, uint32_t row, const ft_outline_row *from)
{
    ft_outline_row *into = &all->rows[row];
    uint64_t key = (uint64_t)row << 32 | from->index;
    if ((from->calls | from->own | from->own_waiting | from->own_awaited) == 0)
        return FT_OK;
    into->folded_calls = ft_sum(into->folded_calls, from->calls);
    into->folded = ft_sum(into->folded, from->own);
    into->folded_waiting = ft_sum(into->folded_waiting, from->own_waiting);
    into->folded_awaited = ft_sum(into->folded_awaited, from->own_awaited);
    if (ft_map_get(&all->folded, key) != NULL)
        return FT_OK;
    into->folded_functions++;
    return ft_map_put(&all->folded, key, 1);
}

/* Makes a row of a cell, or folds it into the one above. */
static ft_status place(outline *all, uint32_t at, ft_outline_row made)
{
    cell *here = &all->cells[at];
    uint32_t above = all->cells[here->parent].row;
    made.own_awaited = here->own_awaited;
    if (here->of_loop)
        made.kind = FT_OUTLINE_TASK;
    if (at > 0 && here->weight <= all->least) {
        here->row = above;
        return fold(all, above, &made);
    }
    assert(all->row_count < all->row_room);
    made.parent = above;
    made.cumulative = here->cumulative;
    made.cumulative_waiting = here->waiting;
    made.cumulative_awaited = here->awaited;
    here->row = all->row_count++;
    all->rows[here->row] = made;
    return FT_OK;
}

static ft_status place_thread(outline *all, uint32_t thread, uint32_t first)
{
    const ft_tree *tree = &all->profile->threads[thread].tree;
    ft_status status = FT_OK;
    for (uint32_t id = 1; id < tree->count && status == FT_OK; id++) {
        const ft_node *node = &tree->nodes[id];
        ft_outline_row made = {.kind = FT_OUTLINE_CALL, .index = node->code};
        if (is_function(all, node->code)) {
            made.calls = node->calls;
            made.own = node->own;
            made.own_waiting = node->waiting;
        }
        status = place(all, first + id - 1, made);
    }
    return status;
}

static ft_status place_all(outline *all)
{
    const ft_profile *profile = all->profile;
    ft_status status = place(all, 0, (ft_outline_row){.kind = FT_OUTLINE_RECORDING});
    for (uint32_t i = 0; i < profile->process_count && status == FT_OK; i++)
        status = place(all, 1 + i, (ft_outline_row){.kind = FT_OUTLINE_PROCESS, .index = i});
    for (uint32_t i = 0; i < profile->thread_count && status == FT_OK; i++)
        status = place(all, all->first_thread + i,
                       (ft_outline_row){.kind = FT_OUTLINE_THREAD, .index = i});
    uint32_t first = all->first_node;
    for (uint32_t i = 0; i < profile->thread_count && status == FT_OK; i++) {
        status = place_thread(all, i, first);
        first += profile->threads[i].tree.count - 1;
    }
    return status;
}

ft_status ft_outline_make(const ft_profile *profile, const ft_outline_wish *wish,
                          ft_outline_row **rows, uint32_t *count)
{
    outline all = {.profile = profile, .wish = wish};
    ft_map_init(&all.folded, profile->mem);
    ft_status status = make_room(&all);
    if (status != FT_OK)
        goto end;
    lay_out_top(&all);
    uint32_t first = all.first_node;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        lay_out_thread(&all, i, first);
        first += profile->threads[i].tree.count - 1;
    }
    sum_up(&all);
    status = choose(&all);
    if (status == FT_OK)
        status = place_all(&all);
    if (status != FT_OK)
        goto end;
    *rows = all.rows;
    *count = all.row_count;
    all.rows = NULL;
end:
    ft_mem_free(profile->mem, all.rows);
    ft_mem_free(profile->mem, all.cells);
    ft_mem_free(profile->mem, all.threads_of);
    ft_map_fini(&all.folded);
    return status;
}
