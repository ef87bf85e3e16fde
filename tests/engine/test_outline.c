/* SPDX-License-Identifier: Apache-2.0 */
/* test_outline.c: the folded tree against one computed path by path.
 *
 * The oracle knows a call by its whole path: it walks from every node up to its root, adds the
 * node's time to each ancestor, and decides by looking at all descendants of a node whether that is
 * shown. It is quadratic and has no passes, no weights and no map. */
#include "engine/model/outline.h"

#include <string.h>

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { CODES = 7, MOST_LINES = 400, FOLDED_CODE = CODES - 1 };

/* One thing that may be shown. */
typedef struct line {
    uint32_t kind, index, above; /* above: place of the line it stands under */
    uint32_t thread, node;       /* of a call */
    uint64_t calls, own, waiting;
    uint64_t cumulative, cumulative_waiting;
    uint64_t rank; /* how many lines go before it when the heaviest are taken */
    bool shown;
} line;

typedef struct oracle {
    line lines[MOST_LINES];
    uint32_t count;
} oracle;

static void make_codes(ft_profile *profile)
{
    uint32_t id;
    for (uint32_t number = 1; number < CODES; number++) {
        uint32_t kind = number == FOLDED_CODE ? FT_CODE_FOLDED
                        : number % 2          ? FT_CODE_PYTHON
                                              : FT_CODE_C;
        if (ft_codetab_intern(&profile->codes, &(ft_code){.line = number, .kind = kind}, &id) !=
                FT_OK ||
            id != number)
            abort();
    }
}

static void make_tree(ft_tree *tree, random_source *source, uint32_t nodes)
{
    uint32_t id;
    tree->nodes[0].own = random_below(source, 100); /* of no function */
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t parent = random_below(source, tree->count);
        if (random_below(source, 2) == 0)
            parent = tree->count - 1; /* deep ones too */
        if (ft_tree_add(tree, parent, 1 + random_below(source, CODES - 1), &id) != FT_OK)
            abort();
        ft_node *node = &tree->nodes[id];
        node->calls = random_below(source, 4);
        node->own = random_below(source, 3) == 0 ? random_below(source, 1000) : 0;
        node->waiting = node->own == 0 ? 0 : random_below(source, (uint32_t)node->own);
    }
}

static void make_profile(ft_profile *profile, random_source *source, const ft_mem *mem)
{
    uint32_t index, processes = 1 + random_below(source, 3), threads = random_below(source, 5);
    if (ft_profile_init(profile, mem) != FT_OK)
        abort();
    make_codes(profile);
    for (uint32_t i = 0; i < processes; i++)
        if (ft_profile_add_process(profile, &(ft_process){.pid = i}, &index) != FT_OK)
            abort();
    for (uint32_t i = 0; i < threads; i++) {
        if (ft_profile_add_thread(profile, random_below(source, processes), 0, &index) != FT_OK)
            abort();
        make_tree(&profile->threads[index].tree, source, random_below(source, 40));
    }
}

/* ---- the oracle ---- */

static uint32_t add_line(oracle *right, line made)
{
    if (right->count == MOST_LINES)
        abort();
    right->lines[right->count] = made;
    return right->count++;
}

static uint32_t find_line(const oracle *right, uint32_t kind, uint32_t index)
{
    for (uint32_t i = 0; i < right->count; i++)
        if (right->lines[i].kind == kind && right->lines[i].index == index)
            return i;
    return 0;
}

static void add_calls(oracle *right, const ft_profile *profile, uint32_t thread, uint32_t top)
{
    const ft_tree *tree = &profile->threads[thread].tree;
    uint32_t first = right->count;
    for (uint32_t id = 1; id < tree->count; id++) {
        const ft_node *node = &tree->nodes[id];
        line made = {.kind = FT_OUTLINE_CALL, .index = node->code, .thread = thread, .node = id};
        made.above = node->parent == 0 ? top : first + node->parent - 1;
        if (profile->codes.codes[node->code].kind != FT_CODE_FOLDED) {
            made.calls = node->calls;
            made.own = node->own;
            made.waiting = node->waiting;
        }
        add_line(right, made);
    }
}

static void add_all(oracle *right, const ft_profile *profile)
{
    right->count = 0;
    add_line(right, (line){.kind = FT_OUTLINE_RECORDING});
    for (uint32_t i = 0; i < profile->process_count && profile->process_count > 1; i++)
        add_line(right, (line){.kind = FT_OUTLINE_PROCESS, .index = i});
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        uint32_t process = profile->threads[i].process, siblings = 0;
        for (uint32_t k = 0; k < profile->thread_count; k++)
            siblings += profile->threads[k].process == process;
        if (siblings > 1)
            add_line(right, (line){.kind = FT_OUTLINE_THREAD,
                                   .index = i,
                                   .above = find_line(right, FT_OUTLINE_PROCESS, process)});
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        uint32_t top = find_line(right, FT_OUTLINE_THREAD, i);
        if (top == 0)
            top = find_line(right, FT_OUTLINE_PROCESS, profile->threads[i].process);
        add_calls(right, profile, i, top);
    }
    for (uint32_t i = 0; i < right->count; i++)
        for (uint32_t at = i;; at = right->lines[at].above) {
            right->lines[at].cumulative += right->lines[i].own;
            right->lines[at].cumulative_waiting += right->lines[i].waiting;
            if (at == 0)
                break;
        }
}

static bool is_below(const oracle *right, uint32_t at, uint32_t above)
{
    while (at != above && at != 0)
        at = right->lines[at].above;
    return at == above;
}

static bool is_wanted(const oracle *right, const ft_outline_wish *wish, uint32_t at)
{
    const line *here = &right->lines[at];
    if ((here->cumulative | here->cumulative_waiting | here->calls) == 0)
        return false;
    return wish->wanted == NULL || (here->kind == FT_OUTLINE_CALL && wish->wanted[here->index]);
}

/* The time of the heaviest wanted line in the subtree; false if there is none. */
static bool heaviest(const oracle *right, const ft_outline_wish *wish, uint32_t above,
                     uint64_t *time)
{
    bool found = false;
    *time = 0;
    for (uint32_t i = 0; i < right->count; i++) {
        if (!is_below(right, i, above) || !is_wanted(right, wish, i))
            continue;
        found = true;
        if (right->lines[i].cumulative > *time)
            *time = right->lines[i].cumulative;
    }
    return found;
}

static void show(oracle *right, const ft_outline_wish *wish)
{
    uint64_t times[MOST_LINES];
    double least = wish->least * (double)right->lines[0].cumulative;
    for (uint32_t i = 1; i < right->count; i++)
        right->lines[i].shown = heaviest(right, wish, i, &times[i]) && (double)times[i] >= least;
    for (uint32_t i = 1; i < right->count; i++)
        for (uint32_t k = 1; k < right->count; k++) {
            bool before = times[k] > times[i] || (times[k] == times[i] && k < i);
            right->lines[i].rank += right->lines[k].shown && before;
        }
    for (uint32_t i = 1; i < right->count; i++)
        right->lines[i].shown &= wish->rows == 0 || right->lines[i].rank < wish->rows;
    right->lines[0].shown = true;
}

/* ---- comparing ---- */

static uint32_t shown_above(const oracle *right, uint32_t at)
{
    do
        at = right->lines[at].above;
    while (!right->lines[at].shown);
    return at;
}

static void fold_below(const oracle *right, uint32_t row, ft_outline_row *into)
{
    bool seen[CODES] = {false};
    for (uint32_t i = 1; i < right->count; i++) {
        const line *at = &right->lines[i];
        if (at->shown || shown_above(right, i) != row)
            continue;
        into->folded_calls += at->calls;
        into->folded += at->own;
        into->folded_waiting += at->waiting;
        if ((at->calls | at->own | at->waiting) == 0 || seen[at->index])
            continue;
        seen[at->index] = true;
        into->folded_functions++;
    }
}

static bool same_row(const ft_outline_row *a, const ft_outline_row *b)
{
    return a->kind == b->kind && a->index == b->index && a->parent == b->parent &&
           a->calls == b->calls && a->own == b->own && a->cumulative == b->cumulative &&
           a->own_waiting == b->own_waiting && a->cumulative_waiting == b->cumulative_waiting &&
           a->folded_functions == b->folded_functions && a->folded_calls == b->folded_calls &&
           a->folded == b->folded && a->folded_waiting == b->folded_waiting;
}

static bool rows_hold(const oracle *right, const ft_outline_row *rows, uint32_t count)
{
    uint32_t places[MOST_LINES], next = 0;
    for (uint32_t i = 0; i < right->count; i++) {
        const line *at = &right->lines[i];
        if (!at->shown)
            continue;
        ft_outline_row wanted = {.kind = at->kind,
                                 .index = at->index,
                                 .calls = at->calls,
                                 .own = at->own,
                                 .cumulative = at->cumulative,
                                 .own_waiting = at->waiting,
                                 .cumulative_waiting = at->cumulative_waiting};
        wanted.parent = i == 0 ? 0 : places[at->above];
        places[i] = next;
        fold_below(right, i, &wanted);
        if (next == count || !same_row(&rows[next++], &wanted))
            return false;
    }
    return next == count;
}

static bool adds_up(const ft_outline_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t sum = rows[i].own + rows[i].folded;
        uint64_t waiting = rows[i].own_waiting + rows[i].folded_waiting;
        for (uint32_t k = i + 1; k < count; k++) {
            sum += rows[k].parent == i ? rows[k].cumulative : 0;
            waiting += rows[k].parent == i ? rows[k].cumulative_waiting : 0;
        }
        if (sum != rows[i].cumulative || waiting != rows[i].cumulative_waiting)
            return false;
    }
    return true;
}

static bool outline_holds(uint64_t seed, uint32_t *folded)
{
    static oracle right; /* large for a stack */
    static const double shares[] = {0.0, 0.01, 0.05, 0.25, 0.5, 1.0};
    random_source source = {seed};
    ft_profile profile;
    bool wanted[CODES];
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    make_profile(&profile, &source, &ft_mem_system);
    ft_outline_wish wish = {.least = shares[random_below(&source, 6)]};
    for (uint32_t code = 0; code < CODES; code++)
        wanted[code] = random_below(&source, 4) == 0;
    if (random_below(&source, 2) == 0)
        wish.wanted = wanted;
    if (random_below(&source, 2) == 0)
        wish.rows = 1 + random_below(&source, 12);
    memset(&right, 0, sizeof right);
    add_all(&right, &profile);
    show(&right, &wish);
    bool good = ft_outline_make(&profile, &wish, &rows, &count) == FT_OK;
    good = good && rows_hold(&right, rows, count) && adds_up(rows, count);
    for (uint32_t i = 0; i < count; i++)
        *folded += rows[i].folded_functions > 0;
    ft_mem_free(profile.mem, rows);
    ft_profile_fini(&profile);
    if (!good)
        printf("# seed %llu\n", (unsigned long long)seed);
    return good;
}

static void test_any_profile(void)
{
    uint32_t folded = 0;
    bool good = true;
    for (uint64_t seed = 0; seed < 4000; seed++)
        good &= outline_holds(seed, &folded);
    CHECK(good);
    CHECK(folded > 4000);
}

/* ---- by hand ---- */

static ft_tree *begin(ft_profile *profile)
{
    uint32_t index;
    if (ft_profile_init(profile, &ft_mem_system) != FT_OK ||
        ft_profile_add_process(profile, &(ft_process){0}, &index) != FT_OK ||
        ft_profile_add_thread(profile, 0, 0, &index) != FT_OK)
        abort();
    make_codes(profile);
    return &profile->threads[0].tree;
}

static void add(ft_tree *tree, uint32_t parent, uint32_t code, uint64_t calls, uint64_t own)
{
    uint32_t id;
    if (ft_tree_add(tree, parent, code, &id) != FT_OK)
        abort();
    tree->nodes[id].calls = calls;
    tree->nodes[id].own = own;
}

static void test_nothing(void)
{
    ft_profile profile;
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    REQUIRE(ft_profile_init(&profile, &ft_mem_system) == FT_OK);
    CHECK(ft_outline_make(&profile, &(ft_outline_wish){.least = 0.01}, &rows, &count) == FT_OK);
    CHECK(count == 1 && rows[0].kind == FT_OUTLINE_RECORDING && rows[0].cumulative == 0);
    ft_mem_free(profile.mem, rows);
    ft_profile_fini(&profile);
}

/* A million levels: no recursion, and what is folded is all there. */
static void test_deep(void)
{
    enum { LEVELS = 1000000 };
    ft_profile profile;
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    ft_tree *tree = begin(&profile);
    for (uint32_t level = 0; level < LEVELS; level++)
        add(tree, level, 1 + level % 3, 2, 10);
    CHECK(ft_outline_make(&profile, &(ft_outline_wish){.rows = 5}, &rows, &count) == FT_OK);
    CHECK(count == 6 && rows[5].parent == 4 && rows[5].folded_functions == 3);
    CHECK(rows[5].folded_calls == 2 * (LEVELS - 5) && rows[5].folded == 10 * (LEVELS - 5));
    ft_mem_free(profile.mem, rows);
    CHECK(ft_outline_make(&profile, &(ft_outline_wish){.least = 0.5}, &rows, &count) == FT_OK);
    CHECK(count == 1 + LEVELS / 2 + 1); /* the last one takes half, its children less */
    ft_mem_free(profile.mem, rows);
    ft_profile_fini(&profile);
}

static void test_saturation(void)
{
    ft_profile profile;
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    ft_tree *tree = begin(&profile);
    for (uint32_t at = 0; at < 4; at++)
        add(tree, at, 1, UINT64_MAX, UINT64_MAX);
    CHECK(ft_outline_make(&profile, &(ft_outline_wish){.least = 1.0}, &rows, &count) == FT_OK);
    CHECK(count == 5 && rows[1].cumulative == UINT64_MAX && rows[4].own == UINT64_MAX);
    ft_mem_free(profile.mem, rows);
    CHECK(ft_outline_make(&profile, &(ft_outline_wish){.rows = 1}, &rows, &count) == FT_OK);
    CHECK(count == 2 && rows[1].folded_calls == UINT64_MAX && rows[1].folded == UINT64_MAX);
    ft_mem_free(profile.mem, rows);
    ft_profile_fini(&profile);
}

static ft_status outline_some(const ft_mem *mem)
{
    random_source source = {5};
    ft_profile profile;
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    make_profile(&profile, &source, &ft_mem_system);
    ft_profile swept = profile; /* the same recording, whose outline asks the failing heap */
    swept.mem = mem;
    ft_status status =
        ft_outline_make(&swept, &(ft_outline_wish){.least = 0.01, .rows = 9}, &rows, &count);
    ft_mem_free(mem, rows);
    ft_profile_fini(&profile);
    return status;
}

int main(void)
{
    test_nothing();
    test_deep();
    test_saturation();
    test_any_profile();
    CHECK(sweep(outline_some));
    return tap_end();
}
