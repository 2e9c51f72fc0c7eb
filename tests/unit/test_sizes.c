/* The memory of the full InceptionTime at 2 bits compared with the memory of a small device, and the reported bytes
 * with the allocated bytes. It has 32 filters, depth 6, 45 channels, 125 steps and 19 classes. Sizes do not depend
 * on the weights, so nothing is trained. */
#include "suite.h"
#include "tiny.h"

#include "../../lib/base/file.h"
#include "../../lib/device/learner.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/modelplan.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/live/session.h"
#include "../../lib/nn/arch.h"
#include "../../lib/quant/qpredict.h"

enum { CHANNELS = 45, LENGTH = 125, CLASSES = 19, VALUES = CHANNELS * LENGTH, SLOTS = 30, BATCH = 91, KB = 1024 };

typedef struct Full {
    QcArena arena;
    QcGraph model;
    QcQGraph g;
    QcFlip flip;
} Full;

static QcErr err;
static float windows[2 * VALUES];

static void full_make(Full *f)
{
    char name[QC_NAME_MAX + 1];
    float *master, *scale;
    int8_t *feedback;
    QcRng rng = qc_rng_seed(4, 1);
    *f = (Full){0};
    for (int i = 0; i < 2 * VALUES; i++) windows[i] = (float)qc_rng_normal(&rng);
    ck_assert_msg(
        !qc_arch_load(&f->model, name, "share/arch/inceptiontime.yaml", 0, CHANNELS, 1, LENGTH, CLASSES, &err), "%s",
        err.text);
    tiny_settle(&f->model, 3);
    ck_assert_msg(!qc_emit(&f->g, &master, &f->model, windows, 2, 2, 0, 8, 1, &f->arena, &err), "%s", err.text);
    ck_assert_int_eq(qc_flipfile_allocate(&f->flip, &f->g, &feedback, &scale, &f->arena, &err), 0);
    for (uint32_t l = 0; l < f->flip.n_layers; l++) scale[l] = 1;
}

static void full_release(Full *f)
{
    qc_graph_release(&f->model);
    qc_arena_release(&f->arena);
}

/* As UCI-DSA's would be, with the lines of a whole chain of programs. */
static void full_file(QcModelFile *m, const Full *f)
{
    static float mean[CHANNELS], deviation[CHANNELS];
    static char text[CLASSES][4], *labels[CLASSES];
    const QcNorm norm = {CHANNELS, mean, deviation};
    for (int c = 0; c < CHANNELS; c++) mean[c] = (float)c, deviation[c] = 1;
    for (int k = 0; k < CLASSES; k++) {
        snprintf(text[k], sizeof text[k], "a%02u", (unsigned)(k + 1) % 100);
        labels[k] = text[k];
    }
    ck_assert_int_eq(qc_modelfile_init(m, "inceptiontime", CHANNELS, 1, LENGTH, CLASSES, labels, &norm, &err), 0);
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(qc_modelfile_add_provenance(m,
                                                     "qc-program 0.1.0 seed=1 threads=2 bits=2 epochs=10 ; "
                                                     "model=sha256:0123456789abcdef data=sha256:0123456789abcdef",
                                                     &err),
                         0);
    ck_assert_msg(!qc_qgraphfile_encode(m, &f->g, &err) && !qc_flipfile_encode(m, &f->flip, &err), "%s", err.text);
}

START_TEST(model_file_and_memory_fit_limits)
{
    Full f;
    QcModelFile m;
    QcPlan plan = {0};
    QcWriter file = {0};
    full_make(&f);
    full_file(&m, &f);
    ck_assert_uint_eq(f.g.n_codes, 480064);
    qc_modelfile_plan(&plan, &f.g, &f.flip);
    ck_assert_uint_le(qc_plan_bytes(&plan), 160 * 1000);
    ck_assert_uint_ge(qc_plan_bytes(&plan), f.g.n_codes / 4);
    ck_assert_int_eq(qc_container_encode(&m.container, &file, &err), 0);
    ck_assert_uint_le(file.length, 160 * KB);
    qc_writer_release(&file);
    qc_modelfile_release(&m);
    full_release(&f);
}
END_TEST

START_TEST(prediction_fits_64_kb_with_same_logits)
{
    Full f;
    QcPlan plan = {0};
    QcQRun run, lean;
    uint8_t q[VALUES];
    float logits[2][CLASSES];
    full_make(&f);
    uint64_t bytes = qc_qpredict_bytes(&plan, &f.g);
    ck_assert_uint_eq(bytes, qc_plan_bytes(&plan));
    ck_assert_uint_le(bytes, 64 * KB);
    /* no less would do for the activations: when a module of the second block runs, the block's input, the module's,
     * its output and its bottleneck are all needed */
    ck_assert_uint_ge(f.g.inference_bytes, (3 * 128 + 32) * LENGTH);
    /* and it is enough: a sanitizer sees a byte too many, and nothing differs */
    void *memory[2] = {aligned_alloc(64, (size_t)qc_qgraph_bytes(&f.g)), aligned_alloc(64, (size_t)bytes)};
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        qc_q_input(q, windows, VALUES, &f.g.tensors[0]);
        qc_qrun_place(&run, &f.g, *k, memory[0]);
        qc_qrun_place_inference(&lean, &f.g, *k, memory[1]);
        qc_qrun_forward(&run, logits[0], q);
        qc_qrun_forward(&lean, logits[1], q);
        ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
    }
    free(memory[0]);
    free(memory[1]);
    full_release(&f);
}
END_TEST

START_TEST(learner_fits_small_device)
{
    Full f;
    full_make(&f);
    QcLearnerSetup setup = {.graph = &f.g, .parameters = qc_parameters_default(2), .capacity = SLOTS, .ring = BATCH};
    for (int flips = 0; flips < 2; flips++) {
        QcPlan plan = {0};
        if (flips) setup.flips = &qc_flip_rounds, setup.flip = &f.flip;
        qc_learner_plan(&plan, &setup);
        ck_assert_uint_eq(qc_plan_bytes(&plan), qc_learner_bytes(&setup));
        /* windows are in it, a byte a value */
        if (flips) ck_assert_uint_gt(qc_plan_bytes(&plan), (SLOTS + BATCH) * VALUES);
        else ck_assert_uint_le(qc_plan_bytes(&plan), 170 * 1000);
        QcLearnerSetup labelled = setup;
        labelled.all_labelled = 1;
        ck_assert_uint_le(qc_learner_bytes(&labelled) + (flips ? 0 : BATCH * CLASSES), qc_learner_bytes(&setup));
    }
    full_release(&f);
}
END_TEST

/* Reading takes from the arena what the plan says, array by array. */
START_TEST(model_memory_equals_plan)
{
    Tiny t;
    QcQGraph g;
    QcFlip flip, back;
    QcModelFile m;
    QcPlan plan = {0};
    QcArena arena = {0};
    static float mean[TINY_CHANNELS], deviation[TINY_CHANNELS] = {1, 1, 1};
    static char *labels[] = {"a", "b", "c", "d"};
    const QcNorm norm = {TINY_CHANNELS, mean, deviation};
    tiny_make(&t, (TinyKind)_i, 4, 8, 2);
    tiny_flip(&flip, &t, 5);
    const QcQTensor *in = &t.g.tensors[0];
    ck_assert_int_eq(
        qc_modelfile_init(&m, "tiny", in->channels, in->height, in->width, TINY_CLASSES, labels, &norm, &err), 0);
    ck_assert_msg(!qc_qgraphfile_encode(&m, &t.g, &err) && !qc_flipfile_encode(&m, &flip, &err), "%s", err.text);
    ck_assert_msg(!qc_qgraphfile_decode(&g, &m, &arena, &err), "%s", err.text);
    qc_modelfile_plan(&plan, &g, NULL);
    ck_assert_uint_eq(qc_plan_bytes(&plan), arena.bytes);
    ck_assert_int_eq(qc_flipfile_decode(&back, &m, &g, &arena, &err), 0);
    plan = (QcPlan){0};
    qc_modelfile_plan(&plan, &g, &back);
    uint64_t no_feedback = back.n_feedback ? 0 : 64; /* of which an arena makes a piece */
    ck_assert_uint_eq(qc_plan_bytes(&plan) + no_feedback, arena.bytes + (sizeof back + 63) / 64 * 64);
    qc_arena_release(&arena);
    qc_modelfile_release(&m);
    tiny_release(&t);
}
END_TEST

START_TEST(batch_memory_is_windows_labels_and_ids)
{
    QcPlan plan = {0};
    qc_session_plan_batch(&plan, 64, VALUES);
    ck_assert_uint_eq(qc_plan_bytes(&plan), 64 * VALUES + 64 * 2 + 64 * 8);
}
END_TEST

START_TEST(plan_counts_parts_beyond_its_table)
{
    QcPlan plan = {0};
    QcPlacing p = {.plan = &plan};
    qc_placing_take(&p, 10); /* before any part: counted, but for nothing that has a name */
    for (int i = 0; i < QC_PLAN_PARTS + 3; i++) {
        qc_placing_part(&p, "part");
        qc_placing_take(&p, 65);
    }
    ck_assert_uint_eq(plan.n, QC_PLAN_PARTS);
    ck_assert_uint_eq(p.used, 64 + (QC_PLAN_PARTS + 3) * 128);
    ck_assert_uint_eq(qc_plan_bytes(&plan), (QC_PLAN_PARTS + 3) * 128);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sizes");
    TCase *t = tcase_create("sizes");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, model_file_and_memory_fit_limits);
    tcase_add_test(t, prediction_fits_64_kb_with_same_logits);
    tcase_add_test(t, learner_fits_small_device);
    tcase_add_loop_test(t, model_memory_equals_plan, 0, TINY_KINDS);
    tcase_add_test(t, batch_memory_is_windows_labels_and_ids);
    tcase_add_test(t, plan_counts_parts_beyond_its_table);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
