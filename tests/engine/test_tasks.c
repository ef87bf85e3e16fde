/* SPDX-License-Identifier: Apache-2.0 */
/* test_tasks.c: tasks of an event loop against a brute-force oracle. A random event loop runs
 * random coroutines: they call functions, iterate over generators, await others, create tasks and
 * are suspended. The recorder hears what a probe would tell it. The oracle keeps for each task its
 * creator's path as a text and its open coroutines, and adds up by path and by function what it
 * sees; the harvested tree and the tables must say the same. */
#include "tests/engine/coroutines.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MOST_PATHS = 20000, LONGEST = 400 };

/* ---- the oracle ---- */

typedef struct path_sums {
    char path[LONGEST];
    uint64_t calls, suspensions, awaited, awaited_ns;
} path_sums;

typedef struct code_sums {
    uint64_t own_awaited, cumulative_awaited;
} code_sums;

typedef struct task {
    bool alive, started;
    char creator[LONGEST]; /* path of who created it */
    int kinds;             /* length of kin */
    struct {
        char code;
        char creator[LONGEST];
    } kin[LETTERS];          /* the tasks around it, from the innermost outwards */
    char chain[DEEPEST + 1]; /* its open coroutines */
    uint64_t since;          /* suspended */
    int innermost;           /* ... at this index of chain */
} task;

typedef struct world {
    ft_recorder *recorder;
    random_source source;
    uint64_t now;
    task tasks[TASKS];
    path_sums *paths;
    uint32_t path_count;
    uint32_t slots[1 << 16]; /* open addressing: index of a path + 1, or 0 */
    code_sums codes[LETTERS];
    code_sums edges[LETTERS][LETTERS];
    uint64_t calls_of[LETTERS][LETTERS]; /* caller, callee */
} world;

static path_sums *sums_of(world *w, const char *path)
{
    uint32_t at = 5381;
    for (const char *byte = path; *byte != '\0'; byte++)
        at = at * 33 + (unsigned char)*byte;
    for (at &= 0xffff; w->slots[at] != 0; at = (at + 1) & 0xffff)
        if (strcmp(w->paths[w->slots[at] - 1].path, path) == 0)
            return &w->paths[w->slots[at] - 1];
    if (w->path_count == MOST_PATHS)
        abort();
    snprintf(w->paths[w->path_count].path, LONGEST, "%s", path);
    w->slots[at] = ++w->path_count;
    return &w->paths[w->path_count - 1];
}

/* The path of a task's coroutine `at`; tail is what it called. */
static void path_to(const task *of, int at, const char *tail, char *path)
{
    if (snprintf(path, LONGEST, "%s%.*s%s", of->creator, at + 1, of->chain, tail) >= LONGEST)
        abort();
}

static void count_call(world *w, const char *path, char caller)
{
    char callee = path[strlen(path) - 1];
    sums_of(w, path)->calls++;
    w->calls_of[caller - 'a'][callee - 'a']++;
}

/* chain[innermost] of the task was suspended for `time`. */
static void count_awaited(world *w, const task *of, uint64_t time)
{
    char path[LONGEST];
    bool seen[LETTERS] = {0}, seen_pair[LETTERS][LETTERS] = {{0}};
    path_to(of, of->innermost, "", path);
    sums_of(w, path)->awaited += time;
    for (int at = 0; at <= of->innermost; at++) {
        int callee = of->chain[at] - 'a', caller = at == 0 ? 'l' - 'a' : of->chain[at - 1] - 'a';
        w->codes[callee].cumulative_awaited += seen[callee] ? 0 : time;
        w->edges[caller][callee].cumulative_awaited += seen_pair[caller][callee] ? 0 : time;
        seen[callee] = seen_pair[caller][callee] = true;
        if (at == of->innermost) {
            w->codes[callee].own_awaited += time;
            w->edges[caller][callee].own_awaited += time;
        }
    }
}

/* ---- what a probe does ---- */

static void pass_time(world *w)
{
    w->now += 1 + random_below(&w->source, 50);
}

static void enter(world *w, char letter, const void *frame)
{
    pass_time(w);
    if (!ft_recorder_enter(w->recorder, &keys[letter - 'a'], frame, w->now))
        abort();
}

static void leave(world *w, char letter, const void *frame)
{
    pass_time(w);
    if (!ft_recorder_leave(w->recorder, &keys[letter - 'a'], frame, w->now))
        abort();
}

static char draw_coroutine(world *w)
{
    return (char)('q' + random_below(&w->source, 8));
}

/* ---- what the program does ---- */

/* The function at the end of path calls c for the task in slot `at`, and perhaps that c another, as
 * asyncio.create_task calls the loop's. */
static void call_creator(world *w, int at, const char *path)
{
    char tail[LONGEST];
    const task *made = &w->tasks[at];
    const void *create = &keys['c' - 'a'], *frame = &plain[2], *nested = &plain[3];
    pass_time(w);
    if (ft_recorder_enter(w->recorder, create, frame, w->now))
        abort(); /* the probe has to look at the task */
    ft_tasks_create(w->recorder, &keys[made->chain[0] - 'a'], &frames[at][0], w->now);
    if (!ft_recorder_enter_creator(w->recorder, create, frame, w->now))
        abort();
    snprintf(tail, LONGEST, "%sc", path);
    count_call(w, tail, path[strlen(path) - 1]);
    if (random_below(&w->source, 2) == 0) {
        ft_tasks_create(w->recorder, &keys[made->chain[0] - 'a'], &frames[at][0], w->now);
        if (!ft_recorder_enter_creator(w->recorder, create, nested, w->now))
            abort();
        snprintf(tail, LONGEST, "%scc", path);
        count_call(w, tail, 'c');
        leave(w, 'c', nested);
    }
    leave(w, 'c', frame);
}

/* The function at the end of path, of task `by` (NULL: the loop), creates a task. */
static void create_task(world *w, const task *by, const char *path)
{
    int at = 0;
    while (at < TASKS && w->tasks[at].alive)
        at++;
    if (at == TASKS)
        return;
    task *made = &w->tasks[at];
    bool told = random_below(&w->source, 8) > 0;
    *made = (task){.alive = true, .chain = {draw_coroutine(w)}};
    snprintf(made->creator, LONGEST, "%s>", path);
    for (int i = 0; by != NULL && i < by->kinds; i++)
        made->kin[made->kinds++] = by->kin[i];
    for (int i = 0; i < made->kinds; i++)
        if (made->kin[i].code == made->chain[0]) { /* it shares that one's creator */
            memcpy(made->creator, made->kin[i].creator, LONGEST);
            made->kinds -= i + 1;
            memmove(made->kin, made->kin + i + 1, (size_t)made->kinds * sizeof made->kin[0]);
            break;
        }
    if (!told) {
        snprintf(made->creator, LONGEST, "l?");
        made->kinds = 0;
    }
    memmove(made->kin + 1, made->kin, (size_t)made->kinds++ * sizeof made->kin[0]);
    made->kin[0].code = made->chain[0];
    memcpy(made->kin[0].creator, made->creator, LONGEST);
    if (told)
        call_creator(w, at, path);
}

static void call_functions(world *w, const task *by)
{
    char path[LONGEST];
    int top = (int)strlen(by->chain) - 1;
    bool creates = random_below(&w->source, 3) == 0;
    path_to(by, top, "f", path);
    enter(w, 'f', &plain[0]);
    count_call(w, path, by->chain[top]);
    if (creates)
        create_task(w, by, path);
    leave(w, 'f', &plain[0]);
}

/* A value of a plain generator goes to who iterates, not to the loop. */
static void iterate(world *w, const task *by)
{
    char path[LONGEST];
    int top = (int)strlen(by->chain) - 1;
    path_to(by, top, "i", path);
    enter(w, 'i', &plain[1]);
    count_call(w, path, by->chain[top]);
    pass_time(w);
    ft_tasks_yield(w->recorder, &frames[by - w->tasks][0], false, w->now);
    if (!ft_recorder_leave(w->recorder, &keys['i' - 'a'], &plain[1], w->now))
        abort();
}

static void await_another(world *w, task *by)
{
    char path[LONGEST];
    int top = (int)strlen(by->chain);
    if (top == DEEPEST)
        return;
    by->chain[top] = random_below(&w->source, 5) == 0 ? 'p' : draw_coroutine(w);
    path_to(by, top, "", path);
    enter(w, by->chain[top], &frames[by - w->tasks][top]);
    count_call(w, path, by->chain[top - 1]);
}

static void finish(world *w, task *by)
{
    int top = (int)strlen(by->chain) - 1;
    leave(w, by->chain[top], &frames[by - w->tasks][top]);
    by->chain[top] = '\0';
    by->alive = top > 0;
}

static void suspend(world *w, task *by)
{
    char path[LONGEST];
    int top = (int)strlen(by->chain) - 1;
    const uint64_t *own = frames[by - w->tasks];
    by->innermost = top;
    for (int at = top; at >= 0; at--) {
        pass_time(w);
        ft_tasks_yield(w->recorder, &own[0], false, w->now);
        if (!ft_recorder_leave(w->recorder, &keys[by->chain[at] - 'a'], &own[at], w->now))
            abort();
    }
    by->since = w->now;
    path_to(by, top, "", path);
    sums_of(w, path)->suspensions++;
}

/* Whoever awaited it stands over a coroutine that an exception was thrown into. */
static void thrown_path(const task *of, int at, char *path)
{
    char tail[3] = {'>', of->chain[at], '\0'};
    path_to(of, at - 1, at == 0 ? tail + 1 : tail, path);
}

/* An exception reaches the innermost coroutine first, and each of those around it when the one
 * inside has ended; the loop enters them all. */
static void throw_into(world *w, task *of)
{
    char path[LONGEST];
    const uint64_t *own = frames[of - w->tasks];
    for (int at = of->innermost; at >= 0; at--) {
        char letter = of->chain[at];
        if (at > 0)
            ft_tasks_throw(w->recorder, &own[0]);
        enter(w, letter, &own[at]);
        if (at == of->innermost)
            count_awaited(w, of, w->now - of->since);
        if (letter == 'p') /* no coroutine, so no marker */
            snprintf(path, LONGEST, "lp");
        else
            thrown_path(of, at, path);
        count_call(w, path, 'l');
        leave(w, letter, &own[at]);
    }
    of->alive = false;
}

static void resume(world *w, task *of)
{
    char path[LONGEST];
    const uint64_t *own = frames[of - w->tasks];
    for (int at = 0; of->chain[at] != '\0'; at++) {
        enter(w, of->chain[at], &own[at]);
        if (at == 0 && of->started)
            count_awaited(w, of, w->now - of->since);
        path_to(of, at, "", path);
        count_call(w, path, at == 0 ? 'l' : of->chain[at - 1]);
    }
    of->started = true;
}

/* One turn of the loop for one task; last: nothing is suspended any more. */
static void run_task(world *w, task *of, bool last)
{
    if (of->started && random_below(&w->source, 6) == 0) {
        throw_into(w, of);
        return;
    }
    resume(w, of);
    for (;;) {
        uint32_t what = random_below(&w->source, 10);
        if (what < 2)
            call_functions(w, of);
        else if (what < 3)
            iterate(w, of);
        else if (what < 6 && !last)
            await_another(w, of);
        else if (what < 8 && !last) {
            if (of->chain[strlen(of->chain) - 1] == 'p')
                continue; /* it waits for nothing by itself */
            suspend(w, of);
            return;
        } else
            finish(w, of);
        if (!of->alive)
            return;
    }
}

static void run_loop(world *w, uint32_t turns)
{
    enter(w, 'l', &plain[3]);
    count_call(w, "l", 'a');
    for (uint32_t i = 0; i < turns; i++) {
        task *next = &w->tasks[random_below(&w->source, TASKS)];
        if (next->alive)
            run_task(w, next, false);
        else if (random_below(&w->source, 4) == 0)
            create_task(w, NULL, "l");
    }
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < TASKS; i++) {
            if (!w->tasks[i].alive)
                continue;
            any = true;
            run_task(w, &w->tasks[i], true);
        }
    }
    leave(w, 'l', &plain[3]);
}

/* ---- comparison ---- */

static uint32_t kind_of(const ft_profile *profile, const ft_tree *tree, uint32_t id)
{
    return profile->codes.codes[tree->nodes[id].code].kind;
}

/* As the oracle writes paths: "l>qf>r" is r, a task that f created, which the task q called. */
static void node_path(const ft_profile *profile, const ft_tree *tree, uint32_t id, char *path)
{
    char reversed[LONGEST];
    size_t length = 0;
    while (id != 0 && length < LONGEST - 1) {
        bool marker = kind_of(profile, tree, id) == FT_CODE_TASK;
        uint32_t creator = marker ? ft_tree_creator(tree, id) : 0;
        char letter = letter_of(profile, tree->nodes[id].code);
        if (marker)
            letter = creator != 0 ? '>' : '?';
        reversed[length++] = letter;
        id = creator != 0 ? creator : tree->nodes[id].parent;
    }
    for (size_t i = 0; i < length; i++)
        path[i] = reversed[length - 1 - i];
    path[length] = '\0';
}

/* Each node's time was rounded down by itself. */
static bool is_near(uint64_t ns, uint64_t ticks, double ns_per_tick, uint32_t nodes)
{
    double wanted = (double)ticks * ns_per_tick, off = (double)ns - wanted;
    return off < 1 + wanted / 1000 && off > -1 - wanted / 1000 - nodes;
}

/* Takes away what the tree has; nothing may be left. */
static bool tree_holds(world *w, const ft_profile *profile, double ns_per_tick)
{
    const ft_tree *tree = &profile->threads[0].tree;
    char path[LONGEST];
    bool same = true;
    for (uint32_t id = 1; id < tree->count && same; id++) {
        const ft_node *node = &tree->nodes[id];
        uint32_t kind = kind_of(profile, tree, id);
        node_path(profile, tree, kind == FT_CODE_AWAITED ? node->parent : id, path);
        path_sums *sums = sums_of(w, path);
        if (kind == FT_CODE_TASK)
            same = (node->calls | node->own | node->waiting) == 0;
        else if (kind == FT_CODE_AWAITED) {
            sums->suspensions -= node->calls;
            sums->awaited_ns += node->own;
            same = node->own == node->waiting;
        } else
            sums->calls -= node->calls;
    }
    for (uint32_t i = 0; i < w->path_count; i++)
        same = same && (w->paths[i].calls | w->paths[i].suspensions) == 0 &&
               is_near(w->paths[i].awaited_ns, w->paths[i].awaited, ns_per_tick, 2);
    return same;
}

static bool functions_hold(const world *w, const ft_profile *profile, double ns_per_tick)
{
    ft_function_row *rows = NULL;
    uint32_t count = 0, nodes = profile->threads[0].tree.count;
    bool same = ft_query_functions(profile, &rows, &count) == FT_OK;
    for (uint32_t i = 0; i < count && same; i++) {
        const code_sums *wanted = &w->codes[letter_of(profile, rows[i].code) - 'a'];
        same = is_near(rows[i].own_awaited, wanted->own_awaited, ns_per_tick, nodes) &&
               is_near(rows[i].cumulative_awaited, wanted->cumulative_awaited, ns_per_tick, nodes);
    }
    ft_mem_free(profile->mem, rows);
    return same;
}

/* The caller of a task's coroutine is the loop. */
static bool edges_hold(world *w, const ft_profile *profile, double ns_per_tick)
{
    ft_edge_row *rows = NULL;
    uint32_t count = 0, nodes = profile->threads[0].tree.count;
    bool same = ft_query_edges(profile, &rows, &count) == FT_OK;
    for (uint32_t i = 0; i < count && same; i++) {
        int callee = letter_of(profile, rows[i].callee) - 'a';
        int caller = rows[i].caller == FT_CODE_NONE ? 0 : letter_of(profile, rows[i].caller) - 'a';
        const code_sums *wanted = &w->edges[caller][callee];
        same = is_near(rows[i].own_awaited, wanted->own_awaited, ns_per_tick, nodes) &&
               is_near(rows[i].cumulative_awaited, wanted->cumulative_awaited, ns_per_tick, nodes);
        w->calls_of[caller][callee] -= rows[i].calls;
    }
    for (int pair = 0; pair < LETTERS * LETTERS; pair++)
        same = same && w->calls_of[pair / LETTERS][pair % LETTERS] == 0;
    ft_mem_free(profile->mem, rows);
    return same;
}

static world *new_world(ft_recording *recording, uint64_t seed)
{
    world *w = calloc(1, sizeof *w);
    path_sums *paths = calloc(MOST_PATHS, sizeof *paths);
    ft_recorder *recorder = intern_all(recording) ? ft_recording_attach(recording) : NULL;
    if (w == NULL || paths == NULL || recorder == NULL)
        abort();
    *w = (world){
        .recorder = recorder, .source = {seed}, .now = recorder->slice_start, .paths = paths};
    return w;
}

static void drop_world(world *w)
{
    free(w->paths);
    free(w);
}

static bool loop_holds(uint64_t seed, uint32_t turns)
{
    ft_recording recording;
    ft_profile profile;
    uint32_t count = 0;
    bool same = false;
    empty_folder();
    if (ft_recording_open(&recording, &ft_mem_system, folder, FT_MAX_CONTEXTS_DEFAULT) != FT_OK)
        return false;
    world *w = new_world(&recording, seed);
    run_loop(w, turns);
    ft_recording_detach(w->recorder);
    const ft_arena_header *header = recording.arena.header;
    ft_clock_source source = (ft_clock_source)header->clock_source;
    if (ft_profile_init(&profile, &ft_mem_system) == FT_OK &&
        ft_harvest_directory(&profile, folder, (ft_harvest_death){0}, &count) == FT_OK) {
        double rate = ft_clock_ns_per_tick(source, header->first, ft_clock_read_pair(source));
        same = count == 1 && ft_profile_check(&profile) == FT_OK &&
               functions_hold(w, &profile, rate) && edges_hold(w, &profile, rate) &&
               tree_holds(w, &profile, rate);
    }
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
    drop_world(w);
    return same;
}

static void test_random_loops(void)
{
    int same = 0;
    for (uint64_t seed = 1; seed <= 150; seed++)
        same += loop_holds(seed, 20 + (uint32_t)seed * 8);
    CHECK(same == 150);
}

/* Past the cap calls stay exact, and so does what is awaited. */
static void test_cap(void)
{
    ft_recording recording;
    ft_profile profile;
    empty_folder();
    REQUIRE(ft_recording_open(&recording, &ft_mem_system, folder, 30) == FT_OK);
    world *w = new_world(&recording, 77);
    run_loop(w, 3000);
    const ft_arena_header *header = recording.arena.header;
    ft_clock_source source = (ft_clock_source)header->clock_source;
    ft_recording_detach(w->recorder);
    harvest(&profile);
    uint64_t calls[LETTERS] = {0};
    for (int pair = 0; pair < LETTERS * LETTERS; pair++)
        calls[pair % LETTERS] += w->calls_of[pair / LETTERS][pair % LETTERS];
    bool same = true;
    double rate = ft_clock_ns_per_tick(source, header->first, ft_clock_read_pair(source));
    for (char letter = 'a'; letter <= 'z'; letter++) {
        ft_function_row row = row_of(&profile, letter);
        same = same && row.calls == calls[letter - 'a'];
        /* Those folded have no marker: how long they are suspended is not known. */
        same = same && (double)row.own_awaited <=
                           (double)w->codes[letter - 'a'].own_awaited * rate * 1.001 + 1;
    }
    CHECK(same);
    CHECK(profile.threads[0].tree.count > 30);
    ft_profile_fini(&profile);
    ft_recording_close(&recording);
    drop_world(w);
}

int main(void)
{
    make_folder();
    test_random_loops();
    test_cap();
    drop_folder();
    return tap_end();
}
