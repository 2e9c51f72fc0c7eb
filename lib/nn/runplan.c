/* Every slice has the same plan, in memory of its own. Every value and gradient has a life: from the step that writes
 * it to the last that reads it. Steps are 0 .. N-1 forward, and back from node N-1 (step N) to node 0 (step 2N-1).
 * Tensors whose lives do not meet share memory; an operation that may work in place joins its output to its input. */
#include <stdlib.h>
#include <string.h>

#include "runparts.h"

typedef struct Item { /* a tensor: value i is item i, gradient i is item N+i, spare i is item 2N+i */
    size_t values;    /* 0: not there */
    uint32_t begin, end;
    uint32_t block;   /* the item whose place it takes, itself unless joined */
    size_t offset;    /* of a block */
} Item;

typedef struct Plan {
    const QcRun *run;
    const QcGraph *g;
    uint32_t n;         /* nodes */
    uint32_t windows;   /* of the largest slice */
    Item *items;        /* [3n] */
    uint32_t *users;    /* [n] inputs that name this node, a double use counted twice */
    uint32_t *last_user; /* [n] */
    uint32_t *order;    /* [3n] */
} Plan;

static uint32_t backward_step(const Plan *p, uint32_t node) { return 2 * p->n - 1 - node; }
static size_t tensor_values(const Plan *p, uint32_t node)
{
    return (qc_node_values(&p->g->nodes[node]) * p->windows + 15) / 16 * 16; /* whole cache lines */
}

static int goes_back(const Plan *p) { return p->run->mode != QC_RUN_EVAL; }

/* Does the backward pass of a node look at its input, or at its output? */
static int reads_input(const Plan *p, const QcNode *node)
{
    if (!goes_back(p)) return 0;
    return node->op == QC_OP_CONV || node->op == QC_OP_LINEAR || node->op == QC_OP_BATCHNORM ||
           node->op == QC_OP_MAXPOOL || node->op == QC_OP_STD || node->op == QC_OP_QUANT ||
           node->op == QC_OP_FUNCTION || node->op == QC_OP_TABLE || node->op == QC_OP_MUL;
}
static int reads_output(const Plan *p, const QcNode *node)
{
    return goes_back(p) && (node->op == QC_OP_RELU || node->op == QC_OP_STD);
}

static void extend(Item *item, uint32_t step)
{
    if (step > item->end) item->end = step;
}

static void find_wants(QcRun *run)
{
    for (uint32_t i = 0; i < run->g->n_nodes; i++) {
        const QcNode *node = &run->g->nodes[i];
        run->wants[i] = run->mode != QC_RUN_EVAL && (run->kept[i] || node->n_weight > 0);
        for (uint32_t k = 0; k < node->n_inputs; k++) run->wants[i] |= run->wants[node->inputs[k]];
    }
}

static void live_values(Plan *p)
{
    uint32_t forever = 2 * p->n;
    for (uint32_t i = 0; i < p->n; i++) {
        const QcNode *node = &p->g->nodes[i];
        p->items[i] = (Item){.values = tensor_values(p, i), .begin = i, .end = i, .block = i};
        /* lies elsewhere, in one piece */
        if (p->run->kept[i]) p->items[i] = (Item){.begin = i, .end = forever, .block = i};
        if (reads_output(p, node) && p->run->wants[i]) extend(&p->items[i], backward_step(p, i));
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            uint32_t in = node->inputs[k];
            p->users[in]++;
            p->last_user[in] = i;
            extend(&p->items[in], reads_input(p, node) && p->run->wants[i] ? backward_step(p, i) : i);
        }
    }
}

static void live_gradients(Plan *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        Item *gradient = &p->items[p->n + i], *spare = &p->items[2 * p->n + i];
        *gradient = (Item){.block = p->n + i};
        *spare = (Item){.block = 2 * p->n + i};
        if (!p->run->wants[i] || p->run->kept[i]) continue;
        gradient->values = tensor_values(p, i);
        gradient->begin = backward_step(p, p->last_user[i]); /* the last node is kept */
        gradient->end = backward_step(p, i);
    }
    /* who finds a gradient already there, and needs a spare place to work out what is to be added */
    for (uint32_t i = 0; i < p->n; i++) {
        const QcNode *node = &p->g->nodes[i];
        Item *spare = &p->items[2 * p->n + i];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            uint32_t in = node->inputs[k];
            int again = p->last_user[in] != i;
            for (uint32_t before = 0; before < k; before++) again |= node->inputs[before] == in;
            again &= p->run->wants[in] && p->run->wants[i];
            p->run->adds[i * QC_MAX_INPUTS + k] = (uint8_t)again;
            if (!again) continue;
            spare->begin = spare->end = backward_step(p, i);
            if (tensor_values(p, in) > spare->values) spare->values = tensor_values(p, in);
        }
    }
}

/* Puts item `later` into the place of `earlier`, which dies in the very step that makes it. */
static void join(Plan *p, uint32_t later, uint32_t earlier)
{
    uint32_t block = p->items[earlier].block;
    p->items[later].block = block;
    extend(&p->items[block], p->items[later].end);
}

static int value_in_place(const Plan *p, const QcNode *node)
{
    switch (node->op) {
    case QC_OP_RELU:
    case QC_OP_FLATTEN:
    case QC_OP_ADD: return 1;
    case QC_OP_BATCHNORM:
    case QC_OP_FUNCTION:
    case QC_OP_TABLE:
    case QC_OP_QUANT: return !goes_back(p);
    default: return 0;
    }
}

static void join_values(Plan *p)
{
    for (uint32_t i = 1; i < p->n; i++) {
        const QcNode *node = &p->g->nodes[i];
        uint32_t in = node->inputs[0];
        if (value_in_place(p, node) && !p->run->kept[i] && !p->run->kept[in] && p->items[in].end == i &&
            p->items[in].values == p->items[i].values)
            join(p, i, in);
    }
}

static void join_gradients(Plan *p)
{
    for (uint32_t i = p->n - 1; i > 0; i--) {
        const QcNode *node = &p->g->nodes[i];
        int may = node->op == QC_OP_RELU || node->op == QC_OP_FLATTEN || node->op == QC_OP_BATCHNORM ||
                  node->op == QC_OP_QUANT || node->op == QC_OP_ADD;
        if (!may || !p->run->wants[i] || p->run->kept[i]) continue;
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            uint32_t in = node->inputs[k];
            if (!p->run->wants[in] || p->run->kept[in] || p->users[in] != 1) continue;
            join(p, p->n + in, p->n + i);
            break; /* one input takes the place, the other gets a copy */
        }
    }
}

static int larger_first(const void *a, const void *b, void *items)
{
    const Item *x = (const Item *)items + *(const uint32_t *)a, *y = (const Item *)items + *(const uint32_t *)b;
    if (x->values != y->values) return x->values < y->values ? 1 : -1;
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* The lowest offset that no tensor of the same time uses: tried directly after each placed tensor. */
static size_t lowest_place(const Plan *p, const Item *item, const uint32_t *placed, uint32_t n_placed)
{
    size_t best = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (uint32_t k = 0; k < n_placed; k++) {
            const Item *other = &p->items[placed[k]];
            int together = item->begin <= other->end && other->begin <= item->end;
            if (together && best < other->offset + other->values && other->offset < best + item->values) {
                best = other->offset + other->values;
                moved = 1;
            }
        }
    }
    return best;
}

static size_t place_all(Plan *p)
{
    uint32_t n = 0;
    size_t total = 0;
    for (uint32_t i = 0; i < 3 * p->n; i++)
        if (p->items[i].values && p->items[i].block == i) p->order[n++] = i;
    qsort_r(p->order, n, sizeof *p->order, larger_first, p->items);
    for (uint32_t k = 0; k < n; k++) {
        Item *item = &p->items[p->order[k]];
        item->offset = lowest_place(p, item, p->order, k);
        if (item->offset + item->values > total) total = item->offset + item->values;
    }
    return total;
}

/* Sets the addresses of a slice's tensors except the kept tensors; `base` is the memory of the slice. */
static void settle_slice(const Plan *p, QcRunSlice *slice, float *base)
{
    for (uint32_t i = 0; i < p->n; i++) {
        float **const places[] = {&slice->value[i], &slice->gradient[i], &slice->spare[i]};
        for (uint32_t k = 0; k < 3; k++) {
            const Item *item = &p->items[k * p->n + i];
            *places[k] = item->values ? base + p->items[item->block].offset : NULL;
        }
    }
}

/* Places for kept tensors from `at` on; gives how many values they take. */
static size_t settle_kept(const Plan *p, float *at)
{
    size_t taken = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        size_t values = (qc_node_values(&p->g->nodes[i]) * p->run->batch + 15) / 16 * 16;
        p->run->whole_value[i] = p->run->whole_gradient[i] = NULL;
        if (!p->run->kept[i]) continue;
        if (at) p->run->whole_value[i] = at + taken;
        taken += values;
        if (!p->run->wants[i]) continue;
        if (at) p->run->whole_gradient[i] = at + taken;
        taken += values;
    }
    return taken;
}

void qc_run_cut(QcRun *run, uint32_t n)
{
    for (int k = 0; k < run->parts; k++) {
        uint32_t first = (uint32_t)((uint64_t)n * (uint32_t)k / (uint32_t)run->parts);
        run->slices[k].first = first;
        run->slices[k].n = (uint32_t)((uint64_t)n * ((uint32_t)k + 1) / (uint32_t)run->parts) - first;
    }
}

void qc_run_settle(QcRun *run)
{
    for (uint32_t i = 0; i < run->g->n_nodes; i++) {
        if (!run->kept[i]) continue;
        for (int k = 0; k < run->parts; k++) {
            QcRunSlice *slice = &run->slices[k];
            size_t skip = slice->first * qc_node_values(&run->g->nodes[i]);
            slice->value[i] = run->whole_value[i] + skip;
            slice->gradient[i] = run->whole_gradient[i] ? run->whole_gradient[i] + skip : NULL;
        }
    }
}

int qc_run_plan(QcRun *run, QcErr *err)
{
    uint32_t n = run->g->n_nodes;
    QcArena arena = {0};
    Plan p = {
        .run = run, .g = run->g, .n = n, .windows = (run->batch + (uint32_t)run->parts - 1) / (uint32_t)run->parts};
    run->kept[n - 1] = 1;
    p.items = qc_arena_take(&arena, 3 * (size_t)n, sizeof *p.items, err);
    p.users = p.items ? qc_arena_take(&arena, n, sizeof *p.users, err) : NULL;
    p.last_user = p.users ? qc_arena_take(&arena, n, sizeof *p.last_user, err) : NULL;
    p.order = p.last_user ? qc_arena_take(&arena, 3 * (size_t)n, sizeof *p.order, err) : NULL;
    int status = -1;
    if (!p.order) goto end;
    find_wants(run);
    live_values(&p);
    live_gradients(&p);
    join_values(&p);
    if (goes_back(&p)) join_gradients(&p);
    size_t each = place_all(&p), bytes = (each * (size_t)run->parts + settle_kept(&p, NULL)) * sizeof(float);
    free(run->memory);
    run->memory = aligned_alloc(64, bytes);
    run->memory_bytes = run->memory ? bytes : 0;
    if (!run->memory) {
        qc_fail(err, QC_EFAIL, "out of memory for the %zu bytes of a batch of %u windows (a smaller batch needs less)",
                bytes, run->batch);
        goto end;
    }
    settle_kept(&p, run->memory + each * (size_t)run->parts);
    qc_run_cut(run, run->batch);
    for (int k = 0; k < run->parts; k++) settle_slice(&p, &run->slices[k], run->memory + each * (size_t)k);
    qc_run_settle(run);
    status = 0;
end:
    qc_arena_release(&arena);
    return status;
}
