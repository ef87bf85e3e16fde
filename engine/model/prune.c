/* SPDX-License-Identifier: Apache-2.0 */
/* prune.c: the heaviest nodes of a profile (see prune.h).
 *
 * All nodes stand in one order: the heaviest first, and of equal ones the first. A caller is at
 * least as heavy as its callee and has a smaller id, so it stands before it, and any beginning of
 * this order is a tree. A limit is such a beginning: the longest one whose nodes cost no more than
 * the limit. Where it ends (a weight, and what is left there for nodes of just that weight) is
 * found byte by byte of the weight, by adding up costs: nothing is sorted. */
#include "engine/model/prune.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/sum.h"
#include "engine/model/plain.h"

enum { WEIGHT_BITS = 64, DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

typedef struct cut { /* where a beginning of the order ends */
    uint64_t weight; /* heavier nodes are in, lighter ones are not */
    uint64_t left;   /* what nodes of this weight may still cost */
} cut;

typedef struct place { /* of a node of from, while its tree is copied */
    uint32_t kept;     /* the nearest node that stays: itself or an ancestor */
    uint32_t id;       /* in to, if it stays */
    uint32_t rest;     /* id in to of its "[pruned]" child; 0 for none, or none yet */
} place;

typedef struct pruning {
    const ft_profile *from;
    ft_profile *to;
    uint64_t count;    /* nodes of all trees of from, roots included */
    uint64_t *weights; /* owned: by node, one tree behind the other: ns, with all below */
    uint32_t *depths;  /* owned: likewise: frames of its path; 0 for the roots */
    place *places;     /* owned: room for the largest tree */
    uint32_t *codes;   /* owned: by code of from: its id in to, 0 before it is needed */
    uint32_t rest;     /* the code "[pruned]" */
    cut nodes, frames;
    ft_pruned pruned;
} pruning;

/* Whatever it returns, ft_prune frees. */
static ft_status make_room(pruning *all)
{
    const ft_profile *from = all->from;
    const ft_mem *mem = all->to->mem;
    uint32_t largest = 1;
    for (uint32_t i = 0; i < from->thread_count; i++) {
        uint32_t count = from->threads[i].tree.count;
        all->count += count;
        largest = count > largest ? count : largest;
    }
    /* One more than needed: there may be no thread. */
    all->weights = ft_mem_resize(mem, NULL, all->count + 1, sizeof *all->weights);
    all->depths = ft_mem_resize(mem, NULL, all->count + 1, sizeof *all->depths);
    all->places = ft_mem_resize(mem, NULL, largest, sizeof *all->places);
    all->codes = ft_mem_new(mem, from->codes.count, sizeof *all->codes);
    return all->weights == NULL || all->depths == NULL || all->places == NULL || all->codes == NULL
               ? FT_ERR_MEMORY
               : FT_OK;
}

static void weigh_tree(const ft_tree *tree, uint64_t *weights, uint32_t *depths)
{
    depths[0] = 0;
    for (uint32_t id = 0; id < tree->count; id++) {
        weights[id] = tree->nodes[id].own;
        if (id > 0)
            depths[id] = depths[tree->nodes[id].parent] + 1;
    }
    for (uint32_t id = tree->count; id-- > 1;) {
        uint32_t parent = tree->nodes[id].parent;
        assert(parent < id);
        weights[parent] = ft_sum(weights[parent], weights[id]);
    }
}

static void weigh(pruning *all)
{
    uint64_t first = 0;
    for (uint32_t i = 0; i < all->from->thread_count; i++) {
        const ft_tree *tree = &all->from->threads[i].tree;
        weigh_tree(tree, all->weights + first, all->depths + first);
        first += tree->count;
    }
    assert(first == all->count);
}

/* What a node of that depth costs: of nodes, 1; of frames, its depth. The roots are free. */
static uint64_t cost(uint32_t depth, bool of_frames)
{
    return of_frames ? depth : depth > 0;
}

static cut find_cut(const pruning *all, uint64_t limit, bool of_frames)
{
    cut end = {.weight = 0, .left = limit == 0 ? UINT64_MAX : limit};
    if (limit == 0)
        return end;
    for (uint32_t shift = WEIGHT_BITS; shift > 0;) {
        uint64_t costs[DIGITS] = {0};
        uint64_t above = shift == WEIGHT_BITS ? 0 : ~UINT64_C(0) << shift; /* the known digits */
        uint32_t digit = DIGITS - 1;
        shift -= DIGIT_BITS;
        for (uint64_t i = 0; i < all->count; i++) {
            uint64_t *of = &costs[all->weights[i] >> shift & (DIGITS - 1)];
            if ((all->weights[i] & above) == end.weight)
                *of = ft_sum(*of, cost(all->depths[i], of_frames));
        }
        while (digit > 0 && costs[digit] <= end.left)
            end.left -= costs[digit--];
        end.weight |= (uint64_t)digit << shift;
    }
    return end;
}

static bool is_before(cut *end, uint64_t weight, uint64_t cost)
{
    if (weight != end->weight)
        return weight > end->weight;
    bool fits = cost <= end->left;
    end->left = fits ? end->left - cost : 0; /* what comes behind the end is behind it too */
    return fits;
}

/* Asked once for each node but the roots, in their order. */
static bool stays(pruning *all, uint64_t at)
{
    uint64_t weight = all->weights[at];
    uint32_t depth = all->depths[at];
    bool in_nodes = is_before(&all->nodes, weight, cost(depth, false));
    bool in_frames = is_before(&all->frames, weight, cost(depth, true));
    return in_nodes && in_frames;
}

/* Everything but the trees, the codes, the lines and the memory. Texts keep their ids. */
static ft_status copy_rest(pruning *all)
{
    ft_profile bare = *all->from;
    ft_code rest = {.kind = FT_CODE_C}; /* to every reader a function without a place */
    bare.codes.count = 1;
    bare.thread_count = 0;
    bare.lines.count = 0;
    bare.memory = (ft_memory){.sites = {.count = 1}}; /* nothing but FT_SITE_NONE */
    ft_status status = ft_profile_merge(all->to, &bare);
    assert(status != FT_OK || all->to->texts.count == bare.texts.count);
    if (status == FT_OK)
        status = ft_strtab_intern(&all->to->texts, "~", 1, &rest.file);
    if (status == FT_OK)
        status =
            ft_strtab_intern(&all->to->texts, FT_PRUNED_NAME, strlen(FT_PRUNED_NAME), &rest.name);
    return status == FT_OK ? ft_codetab_intern(&all->to->codes, &rest, &all->rest) : status;
}

/* The code in to of a code of from. */
static ft_status keep_code(pruning *all, uint32_t code)
{
    uint32_t *kept = &all->codes[code];
    return *kept != 0 ? FT_OK
                      : ft_codetab_intern(&all->to->codes, &all->from->codes.codes[code], kept);
}

/* Lines stay, all of them: they are no nodes, and whoever limits these has room for them. */
static ft_status copy_lines(pruning *all)
{
    const ft_lines *lines = &all->from->lines;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < lines->count && status == FT_OK; i++)
        status = keep_code(all, lines->lines[i].code);
    return status == FT_OK ? ft_lines_merge(&all->to->lines, lines, all->codes) : status;
}

/* above is where the nearest ancestor that stays is, here where the node will be. */
static ft_status keep(pruning *all, ft_tree *tree, const ft_node *node, const place *above,
                      place *here)
{
    ft_status status = keep_code(all, node->code);
    if (status == FT_OK)
        status = ft_tree_add(tree, above->id, all->codes[node->code], &here->id);
    if (status != FT_OK)
        return status;
    tree->nodes[here->id].calls = node->calls;
    tree->nodes[here->id].own = node->own;
    tree->nodes[here->id].waiting = node->waiting;
    all->pruned.kept++;
    return FT_OK;
}

static ft_status leave_out(pruning *all, ft_tree *tree, const ft_node *node, place *above)
{
    all->pruned.nodes++;
    all->pruned.own = ft_sum(all->pruned.own, node->own);
    if ((node->calls | node->own | node->waiting) == 0)
        return FT_OK;
    if (above->rest == 0) {
        ft_status status = ft_tree_add(tree, above->id, all->rest, &above->rest);
        if (status != FT_OK)
            return status;
    }
    ft_node *rest = &tree->nodes[above->rest];
    rest->calls = ft_sum(rest->calls, node->calls);
    rest->own = ft_sum(rest->own, node->own);
    rest->waiting = ft_sum(rest->waiting, node->waiting);
    return FT_OK;
}

/* first is the number of the tree's root among all nodes. */
static ft_status copy_tree(pruning *all, ft_tree *to, const ft_tree *from, uint64_t first)
{
    ft_status status = FT_OK;
    place *places = all->places;
    places[0] = (place){0};
    to->nodes[0] = from->nodes[0];
    for (uint32_t id = 1; id < from->count && status == FT_OK; id++) {
        const ft_node *node = &from->nodes[id];
        uint32_t kept = places[node->parent].kept;
        bool stay = stays(all, first + id);
        places[id] = (place){.kept = stay ? id : kept};
        status = stay ? keep(all, to, node, &places[kept], &places[id])
                      : leave_out(all, to, node, &places[kept]);
    }
    return status;
}

static ft_status copy_threads(pruning *all)
{
    uint64_t first = 0;
    for (uint32_t i = 0; i < all->from->thread_count; i++) {
        const ft_thread *thread = &all->from->threads[i];
        uint32_t index;
        ft_status status = ft_profile_add_thread(all->to, thread->process, thread->name, &index);
        if (status != FT_OK)
            return status;
        all->to->threads[index].uses = thread->uses;
        status = copy_tree(all, &all->to->threads[index].tree, &thread->tree, first);
        if (status != FT_OK)
            return status;
        first += thread->tree.count;
    }
    return FT_OK;
}

/* Memory likewise. Texts have kept their ids. */
static ft_status copy_memory(pruning *all)
{
    const ft_memory *memory = &all->from->memory;
    const ft_memory_ids ids = {.codes = all->codes};
    uint32_t *sites = ft_mem_new(all->to->mem, memory->sites.count, sizeof *sites);
    ft_status status = sites == NULL ? FT_ERR_MEMORY : FT_OK;
    for (uint32_t id = 0; id < memory->sites.count && status == FT_OK; id++)
        status = keep_code(all, memory->sites.sites[id].code);
    if (status == FT_OK)
        status = ft_memory_merge(&all->to->memory, memory, ids, sites);
    if (status == FT_OK)
        ft_memory_sum(&all->to->memory, memory, sites);
    ft_mem_free(all->to->mem, sites);
    return status;
}

static ft_status prune_plain(ft_profile *to, const ft_profile *from, ft_prune_limits limits,
                             ft_pruned *pruned)
{
    pruning all = {.from = from, .to = to};
    ft_status status = make_room(&all);
    if (status == FT_OK)
        status = copy_rest(&all);
    if (status == FT_OK) {
        weigh(&all);
        all.nodes = find_cut(&all, limits.nodes, false);
        all.frames = find_cut(&all, limits.frames, true);
        status = copy_threads(&all);
    }
    if (status == FT_OK)
        status = copy_lines(&all);
    if (status == FT_OK)
        status = copy_memory(&all);
    if (status == FT_OK)
        *pruned = all.pruned;
    ft_mem_free(to->mem, all.codes);
    ft_mem_free(to->mem, all.places);
    ft_mem_free(to->mem, all.depths);
    ft_mem_free(to->mem, all.weights);
    return status;
}

ft_status ft_prune(ft_profile *to, const ft_profile *from, ft_prune_limits limits,
                   ft_pruned *pruned)
{
    assert(to != from && to->thread_count == 0 && to->process_count == 0);
    ft_profile plain;
    if (ft_plain_is(from))
        return prune_plain(to, from, limits, pruned);
    ft_status status = ft_profile_init(&plain, to->mem);
    if (status != FT_OK)
        return status;
    status = ft_plain(&plain, from);
    if (status == FT_OK)
        status = prune_plain(to, &plain, limits, pruned);
    ft_profile_fini(&plain);
    return status;
}
