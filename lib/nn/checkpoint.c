/* A checkpoint is a container of kind "checkpoint": section "options" (what it was made with, a line each, so that the
 * first line that differs can be reported), "state" (everything the next epoch starts from), "hook" (state of
 * the hook after_epoch). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../format/container.h"
#include "trainparts.h"

/* A digest of the training data: windows, labels and normalization. */
static void digest_data(char text[QC_DIGEST_TEXT], const QcTraining *t, QcWriter *w)
{
    uint8_t digests[2][QC_DIGEST_BYTES], whole[QC_DIGEST_BYTES];
    qc_digest(digests[0], t->d->x, (size_t)t->d->n * (size_t)qc_dataset_values(t->d) * sizeof *t->d->x);
    for (uint32_t i = 0; i < t->d->n; i++) qc_put_i32(w, t->map[t->d->label[i]]);
    qc_put_f32s(w, t->norm->mean, t->norm->channels);
    qc_put_f32s(w, t->norm->deviation, t->norm->channels);
    for (uint32_t i = 0; i < t->g->n_nodes; i++) {
        const QcNode *node = &t->g->nodes[i];
        qc_put_text(w, node->name);
        qc_put_u32(w, node->op);
        qc_put_u32(w, node->height);
        qc_put_u32(w, node->width);
        qc_put_u32(w, node->channels);
        qc_put_u64(w, node->n_weight);
    }
    qc_digest(digests[1], w->bytes, w->length);
    qc_digest(whole, digests, sizeof digests);
    qc_digest_text(text, whole);
}

static int write_options(QcWriter *out, const QcTraining *t, QcErr *err)
{
    const QcTrainOptions *o = t->o;
    char data[QC_DIGEST_TEXT], text[1024];
    QcWriter w = {0};
    digest_data(data, t, &w);
    int status = qc_writer_check(&w, err);
    qc_writer_release(&w);
    if (status) return -1;
    snprintf(text, sizeof text,
             "epochs %u\nbatch size %u\noptimizer %s\nrate %.17g\nweight decay %.17g\nvalidation share %.17g\npatience "
             "%u\nseed %llu\n"
             "data and architecture %s\nhook %s\n",
             o->epochs, o->batch, o->optimizer == QC_OPTIM_ADAM ? "adam" : "sgd", o->rate, o->decay, o->valid,
             o->patience, (unsigned long long)o->seed, data, o->save_hook ? "yes" : "no");
    if (o->augment) { /* 0.2.0 and before had none */
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "augmentation by drifts of kind %s, strength %.9g\n",
                 qc_drifts_names[o->augment->drift.kind], o->augment->strength);
    }
    qc_put_text(out, text);
    return qc_writer_check(out, err);
}

static int add_state(QcContainer *c, const QcTraining *t, QcErr *err)
{
    QcWriter w = {0};
    uint64_t best_bits;
    memcpy(&best_bits, &t->best_loss, sizeof best_bits);
    qc_put_u32(&w, t->epoch);
    qc_put_u32(&w, t->waited);
    qc_put_u64(&w, best_bits);
    qc_put_u64(&w, t->optim.step);
    qc_put_f32s(&w, t->g->params, t->g->n_params);
    qc_put_f32s(&w, t->g->stats, t->g->n_stats);
    qc_put_f32s(&w, t->best, t->g->n_params + t->g->n_stats);
    qc_put_f32s(&w, t->optim.first, t->optim.n);
    if (t->optim.second) qc_put_f32s(&w, t->optim.second, t->optim.n);
    return qc_container_add(c, "state", 0, &w, err);
}

int qc_checkpoint_save(const QcTraining *t, QcErr *err)
{
    QcContainer c;
    QcWriter options = {0}, hook = {0};
    qc_container_init(&c, QC_KIND_CHECKPOINT);
    int status = -1;
    if (write_options(&options, t, err) || qc_container_add(&c, "options", 0, &options, err) || add_state(&c, t, err))
        goto end;
    if (t->o->save_hook && (t->o->save_hook(t->o->ctx, &hook, err) || qc_container_add(&c, "hook", 0, &hook, err)))
        goto end;
    status = qc_container_save(&c, t->o->checkpoint, err);
end:
    qc_writer_release(&options);
    qc_writer_release(&hook);
    qc_container_release(&c);
    return status;
}

static const char *skip_line(const char *text)
{
    size_t n = strcspn(text, "\n");
    return text + n + (text[n] == '\n');
}

/* One sentence about the first line in which two lists of options differ; 0 if none does. */
static int compare_options(const char *theirs, const char *ours, QcErr *err)
{
    while (*theirs && *ours) {
        if (!strncmp(theirs, "threads ", 8)) { /* of 0.1.0: results depended on it then */
            theirs = skip_line(theirs);
            continue;
        }
        size_t a = strcspn(theirs, "\n"), b = strcspn(ours, "\n");
        if (a != b || memcmp(theirs, ours, a)) {
            if (!strncmp(ours, "data", 4))
                return qc_fail(err, QC_EUSAGE, "the checkpoint was made from other data or another architecture");
            return qc_fail(err, QC_EUSAGE, "the checkpoint was made with %.*s, not with %.*s", (int)a, theirs, (int)b,
                           ours);
        }
        theirs = skip_line(theirs);
        ours = skip_line(ours);
    }
    if (!*theirs && !*ours) return 0;
    const char *more = *theirs ? theirs : ours;
    return qc_fail(err, QC_EUSAGE, "the checkpoint was made with%s %.*s", *theirs ? "" : "out",
                   (int)strcspn(more, "\n"), more);
}

static int check_options(const QcTraining *t, const QcContainer *c, QcErr *err)
{
    QcArena arena = {0};
    QcCursor theirs, ours;
    QcWriter w = {0};
    int status = -1;
    if (!qc_container_find(c, "options", &theirs)) {
        qc_fail(err, QC_EFORMAT, "the checkpoint has no options");
        goto end;
    }
    if (write_options(&w, t, err)) goto end;
    ours = (QcCursor){.bytes = w.bytes, .length = w.length};
    const char *a = qc_get_text(&theirs, &arena), *b = qc_get_text(&ours, &arena);
    if (!a || !b) {
        qc_fail(err, QC_EFORMAT, "the checkpoint's options cannot be read");
        goto end;
    }
    status = qc_cursor_end(&theirs, "the checkpoint's options", err) || compare_options(a, b, err) ? -1 : 0;
end:
    qc_writer_release(&w);
    qc_arena_release(&arena);
    return status;
}

static void get_f32s(float *values, QcCursor *c, size_t n)
{
    for (size_t i = 0; i < n; i++) values[i] = qc_get_f32(c);
}

static int get_state(QcTraining *t, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (!qc_container_find(c, "state", &cursor)) return qc_fail(err, QC_EFORMAT, "the checkpoint has no state");
    size_t whole = t->g->n_params + t->g->n_stats;
    t->epoch = qc_get_u32(&cursor);
    t->waited = qc_get_u32(&cursor);
    uint64_t best_bits = qc_get_u64(&cursor);
    memcpy(&t->best_loss, &best_bits, sizeof best_bits);
    t->optim.step = qc_get_u64(&cursor);
    get_f32s(t->g->params, &cursor, t->g->n_params);
    get_f32s(t->g->stats, &cursor, t->g->n_stats);
    get_f32s(t->best, &cursor, whole);
    get_f32s(t->optim.first, &cursor, t->optim.n);
    if (t->optim.second) get_f32s(t->optim.second, &cursor, t->optim.n);
    if (qc_cursor_end(&cursor, "the checkpoint's state", err) || qc_graph_check(t->g, err)) return -1;
    return t->epoch <= t->o->epochs ? 0
                                    : qc_fail(err, QC_EFORMAT, "the checkpoint has made more epochs than there are");
}

static int get_hook(const QcTraining *t, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (!t->o->load_hook) return 0;
    if (!qc_container_find(c, "hook", &cursor))
        return qc_fail(err, QC_EFORMAT, "the checkpoint has no state of the hook");
    return t->o->load_hook(t->o->ctx, &cursor, err);
}

int qc_checkpoint_load(QcTraining *t, QcErr *err)
{
    QcContainer c;
    static const char *const known[] = {"options", "state", "hook", NULL};
    if (access(t->o->checkpoint, F_OK) && errno == ENOENT) return 0;
    if (qc_container_load(&c, t->o->checkpoint, QC_KIND_CHECKPOINT, err)) return -1;
    int status = qc_container_expect(&c, known, err) || check_options(t, &c, err) || get_state(t, &c, err) ||
                         get_hook(t, &c, err)
                     ? -1
                     : 1;
    qc_container_release(&c);
    return status < 0 ? qc_within(err, t->o->checkpoint) : 1;
}

int qc_train_check_checkpoint(const char *path, QcErr *err)
{
    QcContainer c;
    struct stat about;
    if (!path || stat(path, &about) || !S_ISREG(about.st_mode) || !about.st_size) return 0;
    if (qc_container_load(&c, path, QC_KIND_CHECKPOINT, err)) return -1;
    qc_container_release(&c);
    return 0;
}
