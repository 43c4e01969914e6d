/* bench_clock.c: read the clock; add up by kind of operation and by layer. */
#include "lab/bench_clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

static bool chooses(const plan_op *op)
{
    return op->kind == OP_SAMPLE || op->kind == OP_GUIDE;
}

moshi_status bench_clock_init(bench_clock *c, const plan *p, moshi_error *err)
{
    *c = (bench_clock){.plan = p};
    c->looks = memory_calloc(p->n_ops, sizeof *c->looks);
    c->seconds = memory_calloc(p->n_ops, sizeof *c->seconds);
    if (!c->looks || !c->seconds) {
        bench_clock_release(c);
        return error_no_memory(err, "the clock of a plan");
    }
    for (size_t i = 0; i < p->n_ops; i++)
        c->looks[i] = chooses(&p->ops[i]) ||
                      (i + 1 < p->n_ops && chooses(&p->ops[i + 1]));
    return MOSHI_OK;
}

void bench_clock_release(bench_clock *c)
{
    memory_free(c->looks);
    memory_free(c->seconds);
    *c = (bench_clock){0};
}

void bench_clock_start(bench_clock *c)
{
    c->sampling = 0;
    c->frames += c->all;
    c->last = c->text_done = clock_seconds();
    c->last_op = (size_t)-1;
}

static void after(void *user, plan_runner *runner, const plan_op *op)
{
    bench_clock *c = user;
    size_t i = (size_t)(op - c->plan->ops);
    (void)runner;
    if (!c->all && !c->looks[i])
        return;
    double now = clock_seconds(), took = now - c->last;
    if (c->all)
        c->seconds[i] += took;
    /* A GPU does not stop before each choice: its time is not known then. */
    if (chooses(op) && (i == 0 || c->last_op == i - 1))
        c->sampling += took;
    if (op->kind == OP_SAMPLE && op->p.sample.text)
        c->text_done = now;
    c->last = now;
    c->last_op = i;
}

static bool wants(void *user, const plan_op *op)
{
    const bench_clock *c = user;
    return c->all || (op->kind == OP_SAMPLE && op->p.sample.text);
}

plan_hook bench_clock_hook(bench_clock *c)
{
    return (plan_hook){after, c, wants};
}

/* Keys and values that an attention reads of one stream's own past. */
static uint64_t cache_bytes(const plan *p, const plan_op *op, int64_t steps)
{
    if (op->kind != OP_ATTENTION || op->p.attention.window == OP_WINDOW_SOURCE)
        return 0;
    const plan_tensor *cache = &p->tensors[op->in[1]];
    if (cache->space != PLAN_STATE)
        return 0;
    int64_t valid = steps < op->p.attention.context ? steps
                                                    : op->p.attention.context;
    return (uint64_t)valid * cache->row_bytes * (uint64_t)p->branches;
}

uint64_t bench_bytes(const plan *p, size_t first, size_t end, int lanes,
                     int64_t steps)
{
    uint64_t sum = 0;
    for (size_t i = first; i < end; i++) {
        sum += plan_op_weight_bytes(p, &p->ops[i]);
        sum += (uint64_t)lanes * cache_bytes(p, &p->ops[i], steps);
    }
    return sum;
}

/* "transformer.layers.3.norm1" is of layer "transformer.layers.3": up to the
 * first part that is a number; without one, up to the first dot. */
static void layer_of(const char *name, char *out, size_t room)
{
    const char *part = name;
    size_t n = strcspn(name, ".");
    while (*part) {
        size_t length = strcspn(part, ".");
        size_t digits = strspn(part, "0123456789");
        if (length > 0 && digits == length) {
            n = (size_t)(part - name) + length;
            break;
        }
        part += length + (part[length] == '.');
    }
    snprintf(out, room, "%.*s", (int)(n < room ? n : room - 1), name);
}

static bench_row *find_row(bench_rows *rows, const char *plan_name,
                           const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->list[i].name, name) == 0 &&
            strcmp(rows->list[i].plan, plan_name) == 0)
            return &rows->list[i];
    if (!memory_grow((void **)&rows->list, &rows->capacity, rows->count + 1,
                     sizeof *rows->list))
        return NULL;
    bench_row *r = &rows->list[rows->count++];
    *r = (bench_row){.ops = 0};
    snprintf(r->plan, sizeof r->plan, "%s", plan_name);
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

static bool add(bench_rows *rows, const char *plan_name, const char *name,
                double ms, uint64_t bytes)
{
    bench_row *r = find_row(rows, plan_name, name);
    if (!r)
        return false;
    r->ops++;
    r->ms += ms;
    r->bytes += bytes;
    return true;
}

bool bench_clock_rows(const bench_clock *c, int lanes, int64_t steps,
                      bench_rows *by_kind, bench_rows *by_layer)
{
    char layer[64];
    for (size_t i = 0; i < c->plan->n_ops; i++) {
        const plan_op *op = &c->plan->ops[i];
        double ms = c->frames ? 1e3 * c->seconds[i] / c->frames : 0;
        uint64_t bytes = bench_bytes(c->plan, i, i + 1, lanes, steps);
        layer_of(op->name, layer, sizeof layer);
        if (!add(by_kind, c->plan->name, op_kind_name(op->kind), ms, bytes) ||
            !add(by_layer, c->plan->name, layer, ms, bytes))
            return false;
    }
    return true;
}
