/* split.c: cut plans between two backends, run the stretches, copy between. */
#include "plan/split.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

/* Neighbouring operations of one side; what they read of the other's. */
typedef struct stretch {
    size_t first, end;
    int side;
    tensor_id *copies; /* owned */
    size_t n_copies, room;
} stretch;

/* One plan, cut. Counted by the states and runners that use it. */
typedef struct cut {
    struct cut *next;
    const plan *plan;
    int users;
    bool *mine[2];       /* owned: operations of each side */
    stretch *stretches;  /* owned */
    size_t n, room;
} cut;

typedef struct split_backend {
    backend table; /* first: the handle that callers hold */
    backend *side[2];
    split_choice *choose;
    int user;
    pthread_mutex_t lock; /* of the list */
    cut *cuts;
} split_backend;

struct plan_state {
    split_backend *backend;
    cut *cut;
    plan_state *side[2];
    int64_t frame;
};

struct plan_runner {
    split_backend *backend;
    cut *cut;
    plan_runner *side[2];
    char *copy;   /* owned: room for the largest tensor */
    size_t now;   /* the operation that ran last */
    int n_lanes;
    const plan_hook *hook; /* of the run in progress */
};

/* --- cutting --- */

static void cut_free(cut *c)
{
    for (size_t i = 0; i < c->n; i++)
        memory_free(c->stretches[i].copies);
    memory_free(c->stretches);
    memory_free(c->mine[0]);
    memory_free(c->mine[1]);
    memory_free(c);
}

static bool add_copy(stretch *s, tensor_id t)
{
    if (!memory_grow((void **)&s->copies, &s->room, s->n_copies + 1,
                     sizeof *s->copies))
        return false;
    s->copies[s->n_copies++] = t;
    return true;
}

/* valid[side * n_tensors + tensor]: has that side what the tensor holds? */
static bool bring(const plan *p, stretch *s, bool *valid, tensor_id t)
{
    if (t == TENSOR_NONE || p->tensors[t].space != PLAN_FRAME)
        return true;
    bool *here = &valid[(size_t)s->side * p->n_tensors + (size_t)t];
    const bool *there = &valid[(size_t)!s->side * p->n_tensors + (size_t)t];
    if (*here || !*there) /* else nobody has written it */
        return true;
    *here = true;
    return add_copy(s, t);
}

static bool find_copies(cut *c)
{
    const plan *p = c->plan;
    bool *valid = memory_calloc(2 * p->n_tensors + 1, sizeof *valid);
    bool ok = valid != NULL;
    for (size_t t = 0; ok && t < p->n_tensors; t++) {
        plan_value unused; /* inputs are written to both sides */
        valid[t] = valid[p->n_tensors + t] =
            plan_value_of_input(p, (tensor_id)t, &unused);
    }
    for (size_t k = 0; k < c->n && ok; k++) {
        stretch *s = &c->stretches[k];
        for (size_t i = s->first; i < s->end && ok; i++) {
            const plan_op *op = &p->ops[i];
            for (int j = 0; j < OP_INPUTS && ok; j++)
                ok = bring(p, s, valid, op->in[j]);
            /* Columns of a tensor are written one by one. */
            ok = ok && bring(p, s, valid, op->out);
            if (op->out != TENSOR_NONE) {
                valid[(size_t)s->side * p->n_tensors + (size_t)op->out] = true;
                valid[(size_t)!s->side * p->n_tensors + (size_t)op->out] =
                    false;
            }
        }
    }
    memory_free(valid);
    return ok;
}

static bool find_stretches(cut *c)
{
    for (size_t i = 0; i < c->plan->n_ops; i++) {
        int side = c->mine[1][i];
        if (c->n == 0 || c->stretches[c->n - 1].side != side) {
            if (!memory_grow((void **)&c->stretches, &c->room, c->n + 1,
                             sizeof *c->stretches))
                return false;
            c->stretches[c->n++] = (stretch){.first = i, .side = side};
        }
        c->stretches[c->n - 1].end = i + 1;
    }
    return true;
}

static cut *cut_make(const split_backend *be, const plan *p)
{
    cut *c = memory_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->plan = p;
    c->mine[0] = memory_calloc(p->n_ops + 1, sizeof(bool));
    c->mine[1] = memory_calloc(p->n_ops + 1, sizeof(bool));
    bool ok = c->mine[0] && c->mine[1];
    for (size_t i = 0; ok && i < p->n_ops; i++) {
        c->mine[1][i] = be->choose(p, &p->ops[i], be->user);
        c->mine[0][i] = !c->mine[1][i];
    }
    if (ok && find_stretches(c) && find_copies(c))
        return c;
    cut_free(c);
    return NULL;
}

static cut *cut_use(split_backend *be, const plan *p)
{
    pthread_mutex_lock(&be->lock);
    cut *c = be->cuts;
    while (c && c->plan != p)
        c = c->next;
    if (!c && (c = cut_make(be, p))) {
        c->next = be->cuts;
        be->cuts = c;
    }
    if (c)
        c->users++;
    pthread_mutex_unlock(&be->lock);
    return c;
}

static void cut_drop(split_backend *be, cut *c)
{
    pthread_mutex_lock(&be->lock);
    if (c && --c->users == 0) {
        cut **at = &be->cuts;
        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
        cut_free(c);
    }
    pthread_mutex_unlock(&be->lock);
}

/* --- streams --- */

static void state_close(plan_state **handle)
{
    plan_state *s = *handle;
    if (!s)
        return;
    for (int i = 0; i < 2; i++)
        if (s->side[i])
            s->backend->side[i]->state_close(&s->side[i]);
    cut_drop(s->backend, s->cut);
    memory_free(s);
    *handle = NULL;
}

static moshi_status state_open(backend *self, const plan *p, plan_state **out,
                               moshi_error *err)
{
    split_backend *be = (split_backend *)self;
    plan_state *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the state of a stream");
    s->backend = be;
    s->cut = cut_use(be, p);
    moshi_status status = s->cut ? MOSHI_OK
                                 : error_no_memory(err, "a plan's parts");
    for (int i = 0; i < 2 && status == MOSHI_OK; i++)
        status = be->side[i]->part_state_open(be->side[i], p, s->cut->mine[i],
                                              &s->side[i], err);
    if (status != MOSHI_OK) {
        state_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

static void state_reset(plan_state *s)
{
    s->frame = 0;
    for (int i = 0; i < 2; i++)
        s->backend->side[i]->state_reset(s->side[i]);
}

static void state_seek(plan_state *s, int64_t frame)
{
    s->frame = frame;
    for (int i = 0; i < 2; i++)
        s->backend->side[i]->state_seek(s->side[i], frame);
}

static void state_write(plan_state *s, tensor_id tensor, size_t at,
                        const void *data, size_t bytes)
{
    for (int i = 0; i < 2; i++)
        s->backend->side[i]->state_write(s->side[i], tensor, at, data, bytes);
}

/* The side that has it: the second if one of its operations uses it. */
static int side_of_state(const cut *c, tensor_id tensor)
{
    for (size_t i = 0; i < c->plan->n_ops; i++) {
        const plan_op *op = &c->plan->ops[i];
        if (c->mine[1][i] &&
            (op->out == tensor || op->in[0] == tensor ||
             op->in[1] == tensor || op->in[2] == tensor))
            return 1;
    }
    return 0;
}

static void state_read(const plan_state *s, tensor_id tensor, size_t at,
                       void *data, size_t bytes)
{
    int i = side_of_state(s->cut, tensor);
    s->backend->side[i]->state_read(s->side[i], tensor, at, data, bytes);
}

/* --- runners --- */

static void runner_close(plan_runner **handle)
{
    plan_runner *r = *handle;
    if (!r)
        return;
    for (int i = 0; i < 2; i++)
        if (r->side[i])
            r->backend->side[i]->runner_close(&r->side[i]);
    cut_drop(r->backend, r->cut);
    memory_free(r->copy);
    memory_free(r);
    *handle = NULL;
}

static moshi_status runner_open(backend *self, const plan *p, int lanes_max,
                                plan_runner **out, moshi_error *err)
{
    split_backend *be = (split_backend *)self;
    plan_runner *r = memory_calloc(1, sizeof *r);
    size_t most = 1;
    if (!r)
        return error_no_memory(err, "a runner");
    r->backend = be;
    r->cut = cut_use(be, p);
    for (size_t t = 0; t < p->n_tensors; t++)
        if (p->tensors[t].space == PLAN_FRAME && p->tensors[t].bytes > most)
            most = p->tensors[t].bytes;
    r->copy = memory_calloc(1, most);
    moshi_status status = r->cut && r->copy ? MOSHI_OK
                                            : error_no_memory(err, "a runner");
    for (int i = 0; i < 2 && status == MOSHI_OK; i++)
        status = be->side[i]->part_open(be->side[i], p, lanes_max,
                                        r->cut->mine[i], &r->side[i], err);
    if (status != MOSHI_OK) {
        runner_close(&r);
        return status;
    }
    r->now = p->n_ops - 1;
    *out = r;
    return MOSHI_OK;
}

/* What the sides call: their runner is not the caller's. */
static void pass_on(void *user, plan_runner *inner, const plan_op *op)
{
    plan_runner *r = user;
    (void)inner;
    r->now = (size_t)(op - r->cut->plan->ops);
    r->hook->after(r->hook->user, r, op);
}

static bool pass_on_wants(void *user, const plan_op *op)
{
    const plan_runner *r = user;
    return plan_hook_wants(r->hook, op);
}

static void copy_to(plan_runner *r, const stretch *s, int lanes)
{
    backend *to = r->backend->side[s->side];
    const backend *from = r->backend->side[!s->side];
    for (size_t i = 0; i < s->n_copies; i++)
        for (int lane = 0; lane < lanes; lane++) {
            from->read(r->side[!s->side], s->copies[i], lane, r->copy);
            to->write(r->side[s->side], s->copies[i], lane, r->copy);
        }
}

static void run(plan_runner *r, plan_state *const *states, int n,
                const plan_hook *hook)
{
    plan_state *inner[2][LIMIT_LANES];
    plan_hook passing = {pass_on, r, pass_on_wants};
    if (n == 0)
        return;
    assert(n <= LIMIT_LANES);
    for (int lane = 0; lane < n; lane++)
        for (int i = 0; i < 2; i++)
            inner[i][lane] = states[lane]->side[i];
    r->n_lanes = n;
    r->hook = hook;
    for (size_t k = 0; k < r->cut->n; k++) {
        const stretch *s = &r->cut->stretches[k];
        copy_to(r, s, n);
        r->backend->side[s->side]->run_part(r->side[s->side], inner[s->side],
                                            n, s->first, s->end,
                                            hook ? &passing : NULL);
    }
    r->now = r->cut->plan->n_ops - 1;
    for (int lane = 0; lane < n; lane++)
        state_seek(states[lane], states[lane]->frame + 1);
}

static void write_tensor(plan_runner *r, tensor_id tensor, int lane,
                         const void *data)
{
    for (int i = 0; i < 2; i++)
        r->backend->side[i]->write(r->side[i], tensor, lane, data);
}

static void read_tensor(const plan_runner *r, tensor_id tensor, int lane,
                        void *data)
{
    const plan *p = r->cut->plan;
    int side = 0;
    if (p->tensors[tensor].space == PLAN_STATE) {
        side = side_of_state(r->cut, tensor);
    } else { /* who wrote it last */
        size_t i = r->now + 1;
        while (i > 0 && p->ops[i - 1].out != tensor)
            i--;
        side = i > 0 && r->cut->mine[1][i - 1];
    }
    r->backend->side[side]->read(r->side[side], tensor, lane, data);
}

static int lanes(const plan_runner *r)
{
    return r->n_lanes;
}

/* --- the backend --- */

static moshi_status failure(const backend *self, moshi_error *err)
{
    const split_backend *be = (const split_backend *)self;
    moshi_status status = backend_failure(be->side[0], err);
    return status == MOSHI_OK ? backend_failure(be->side[1], err) : status;
}

static void backend_close(backend **self)
{
    split_backend *be = (split_backend *)*self;
    if (!be)
        return;
    for (int i = 0; i < 2; i++)
        be->side[i]->close(&be->side[i]);
    pthread_mutex_destroy(&be->lock);
    memory_free(be);
    *self = NULL;
}

moshi_status split_backend_open(backend **out, backend *first,
                                backend *second, split_choice *choose,
                                int user, moshi_error *err)
{
    static const backend table = {
        .close = backend_close,
        .state_open = state_open,
        .state_close = state_close,
        .state_reset = state_reset,
        .state_seek = state_seek,
        .state_write = state_write,
        .state_read = state_read,
        .runner_open = runner_open,
        .runner_close = runner_close,
        .run = run,
        .write = write_tensor,
        .read = read_tensor,
        .lanes = lanes,
        .failure = failure,
    };
    split_backend *be = memory_calloc(1, sizeof *be);
    if (!be || pthread_mutex_init(&be->lock, NULL) != 0) {
        memory_free(be);
        first->close(&first);
        second->close(&second);
        return error_no_memory(err, "two backends");
    }
    be->table = table;
    be->table.name = first->name;
    be->side[0] = first;
    be->side[1] = second;
    be->choose = choose;
    be->user = user;
    *out = &be->table;
    return MOSHI_OK;
}
