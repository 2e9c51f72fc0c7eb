/* Forged sections: checksums are right, contents are not. Every decoder must refuse a section cleanly or decode it.
 * With a sanitizer this is a small fuzzer that starts from valid files and repeats exactly. */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/coreset/misslog.h"
#include "../../lib/data/dataset.h"
#include "../../lib/nn/graphfile.h"

enum { ROUNDS = 3000 };

/* Changes a few bytes of one section, or its length. */
static void forge(QcContainer *out, const QcContainer *from, QcRng *rng)
{
    QcErr err = {0};
    uint32_t chosen = qc_rng_below(rng, from->n);
    qc_container_init(out, from->kind);
    for (uint32_t i = 0; i < from->n; i++) {
        const QcSection *s = &from->sections[i];
        QcWriter w = {0};
        qc_put_bytes(&w, s->bytes, s->length);
        if (i == chosen && s->length) {
            for (uint32_t k = qc_rng_below(rng, 3) + 1; k > 0; k--) {
                static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0xff};
                /* the beginning of a section is where counts and shapes are */
                uint32_t at = qc_rng_below(rng, qc_rng_below(rng, 2) && s->length > 64 ? 64 : (uint32_t)s->length);
                w.bytes[at] = qc_rng_below(rng, 2) ? (uint8_t)qc_rng_next(rng) : extremes[qc_rng_below(rng, 5)];
            }
            if (!qc_rng_below(rng, 8)) w.length -= qc_rng_below(rng, (uint32_t)s->length);
            if (!qc_rng_below(rng, 8)) qc_put_u32(&w, 0);
        }
        ck_assert_int_eq(qc_container_add(out, s->name, s->flags, &w, &err), 0);
    }
}

static void refused_well(const QcErr *err)
{
    ck_assert_int_ne(err->text[0], 0);
    ck_assert(err->code == QC_EFORMAT || err->code == QC_EFAIL || err->code == QC_EUNSUPPORTED);
    ck_assert_ptr_null(strchr(err->text, '\n'));
}

static void sample_data(QcDataset *d, uint32_t capacity)
{
    QcErr err = {0};
    uint32_t index;
    ck_assert_int_eq(qc_dataset_init(d, 6, 2, 1, 5, capacity, &err), 0);
    static const char *const names[] = {"walk", "sit", "run"};
    for (int i = 0; i < 3; i++) ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, names[i], &index, &err), 0);
    ck_assert_int_eq(qc_names_add(&d->groups, &d->arena, "p1", &index, &err), 0);
    ck_assert_int_eq(qc_names_add(&d->recordings, &d->arena, "r1", &index, &err), 0);
    for (uint32_t i = 0; i < d->n; i++) d->label[i] = (int32_t)(i % 3);
    for (uint32_t i = 0; i < 60; i++) d->x[i] = (float)i / 7;
}

START_TEST(forged_data_files_are_refused_or_valid)
{
    QcDataset d, read;
    QcContainer good, bad;
    QcErr err = {0};
    QcRng rng = qc_rng_seed(1, (uint64_t)_i);
    uint32_t accepted = 0;
    sample_data(&d, _i ? 8 : 0);
    qc_container_init(&good, QC_KIND_DATA);
    ck_assert_int_eq(qc_dataset_encode(&d, &good, &err), 0);
    for (int round = 0; round < ROUNDS; round++) {
        forge(&bad, &good, &rng);
        err = (QcErr){0};
        memset(&read, 0, sizeof read);
        if (qc_dataset_decode(&read, &bad, &err)) {
            refused_well(&err);
        } else {
            for (uint32_t i = 0; i < read.n; i++) { /* what is accepted can be walked through */
                ck_assert_int_lt(read.label[i], (int32_t)read.labels.n);
                for (uint64_t k = 0; k < qc_dataset_values(&read); k++)
                    ck_assert(qc_dataset_window(&read, i)[k] < 1e31f);
            }
            accepted++;
        }
        qc_dataset_release(&read);
        qc_container_release(&bad);
    }
    ck_assert_uint_gt(accepted, 10);
    ck_assert_uint_lt(accepted, ROUNDS);
    qc_container_release(&good);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(forged_float_models_are_refused_or_valid)
{
    static float mean[] = {0, 0}, deviation[] = {1, 1};
    static char *labels[] = {"walk", "sit", "run"};
    static const QcNorm norm = {2, mean, deviation};
    QcModelFile m, read;
    QcGraph g, back;
    QcErr err = {0};
    QcRng rng = qc_rng_seed(2, 0);
    uint32_t accepted = 0;
    ck_assert_int_eq(qc_graph_init(&g, 2, 1, 20, &err), 0);
    int conv = qc_graph_conv(&g, "conv", 0, 4, qc_window_same_1d(5), 1, 0, &err);
    int norms = qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, (uint32_t)conv, &err);
    int relu = qc_graph_simple(&g, "relu", QC_OP_RELU, (uint32_t)norms, &err);
    int pool = qc_graph_pool(&g, "pool", QC_OP_MAXPOOL, (uint32_t)relu, qc_window_same_1d(3), 0, &err);
    int sum = qc_graph_add(&g, "sum", (uint32_t)relu, (uint32_t)pool, &err);
    int gap = qc_graph_simple(&g, "gap", QC_OP_GAP, (uint32_t)sum, &err);
    ck_assert_int_gt(qc_graph_linear(&g, "fc", (uint32_t)gap, 3, 1, &err), 0);
    ck_assert_msg(qc_graph_finish(&g, &err) == 0, "%s", err.text);
    qc_graph_reset(&g, 1);
    ck_assert_int_eq(qc_modelfile_init(&m, "small", 2, 1, 20, 3, labels, &norm, &err), 0);
    ck_assert_int_eq(qc_graph_encode(&m, &g, &err), 0);
    char path[] = "/dev/null";
    ck_assert_int_eq(qc_modelfile_save(&m, path, &err), 0); /* codes meta and provenance into the container */
    for (int round = 0; round < ROUNDS; round++) {
        QcContainer bad;
        forge(&bad, &m.container, &rng);
        err = (QcErr){0};
        if (qc_modelfile_decode(&read, &bad, &err)) {
            refused_well(&err);
            continue;
        }
        memset(&back, 0, sizeof back);
        if (qc_graph_decode(&back, &read, &err)) {
            refused_well(&err);
        } else {
            ck_assert_int_eq(qc_graph_check(&back, &err), 0);
            ck_assert_uint_gt(qc_graph_macs(&back), 0);
            accepted++;
        }
        qc_graph_release(&back);
        qc_modelfile_release(&read);
    }
    ck_assert_uint_gt(accepted, 10);
    ck_assert_uint_lt(accepted, ROUNDS);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
}
END_TEST

START_TEST(forged_miss_logs_are_refused_or_valid)
{
    static const uint64_t ids[] = {10, 11, 12, 13};
    static const uint8_t bits[] = {2, 4}, right[] = {1, 0, 1, 1}, wrong[] = {0, 0, 1, 0};
    QcMissLog log = {0}, read;
    QcErr err = {0};
    QcRng rng = qc_rng_seed(3, 0);
    QcContainer good, bad;
    QcWriter w = {0};
    uint32_t accepted = 0;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 4, bits, 2, &err), 0);
    for (uint32_t b = 0; b < 2; b++) qc_misslog_observe(&log, b, right), qc_misslog_observe(&log, b, wrong);
    qc_misslog_put(&w, &log);
    qc_container_init(&good, QC_KIND_MISSLOG);
    ck_assert_int_eq(qc_container_add(&good, "misslog", 0, &w, &err), 0);
    for (int round = 0; round < ROUNDS; round++) {
        QcCursor c;
        forge(&bad, &good, &rng);
        qc_container_find(&bad, "misslog", &c);
        memset(&read, 0, sizeof read);
        err = (QcErr){0};
        if (qc_misslog_get(&read, &c, &err)) {
            refused_well(&err);
        } else {
            for (uint32_t i = 0; i < read.n; i++)
                (void)qc_misslog_total(&read, i), (void)qc_misslog_never_right(&read, i);
            accepted++;
        }
        qc_misslog_release(&read);
        qc_container_release(&bad);
    }
    ck_assert_uint_gt(accepted, 10);
    ck_assert_uint_lt(accepted, ROUNDS);
    qc_container_release(&good);
    qc_misslog_release(&log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forged");
    TCase *tcase = tcase_create("forged");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, forged_data_files_are_refused_or_valid, 0, 2);
    tcase_add_test(tcase, forged_float_models_are_refused_or_valid);
    tcase_add_test(tcase, forged_miss_logs_are_refused_or_valid);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
