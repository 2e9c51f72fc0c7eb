#include "bitflip.h"

#include "../format/flipfile.h"

const QcBitflipOptions qc_bitflip_defaults = {
    .subjects = 8, .test_subjects = 2, .steps = 1500, .batch = 2048, .rate = 3e-3, .seed = 1, .threads = 1};

enum { FEEDBACK_SUBJECTS = 8 };

static void show(const QcBitflipOptions *o, const char *what, uint32_t done, uint32_t of)
{
    if (o->progress) o->progress(what, done, of);
}

int qc_bitflip_train(QcFlip *flip, QcBitflipReport *report, QcQGraph *g, const QcModelFile *m, const QcWindows *source,
                     const QcBitflipOptions *o, QcArena *arena, QcErr *err)
{
    int8_t *feedback;
    float *scale;
    QcOracleSamples samples = {0}, test = {0};
    QcOracleOptions settings = o->oracle;
    settings.seed = o->seed;
    settings.threads = o->threads;
    QcOracle oracle = {g, flip, source, m, &settings};
    int status = -1;
    *report = (QcBitflipReport){0};
    if (!source->n) return qc_fail(err, QC_EFORMAT, "there is no example to train the flip network on");
    if (qc_flipfile_allocate(flip, g, &feedback, &scale, arena, err)) return -1;
    show(o, "feedback", 0, 1);
    if (qc_fit_feedback(&oracle, feedback, scale, FEEDBACK_SUBJECTS, err)) goto end;
    for (uint32_t p = 0; p < o->subjects + o->test_subjects; p++) {
        show(o, "synthetic subjects", p, o->subjects + o->test_subjects);
        if (qc_oracle_sample(&oracle, p < o->subjects ? &samples : &test, p, err)) goto end;
    }
    show(o, "network", 0, 1);
    report->samples = samples.n;
    report->test_samples = test.n;
    if (!samples.n) {
        qc_fail(err, QC_EFAIL, "back-propagation moved no weight: there is nothing to learn");
        goto end;
    }
    if (qc_flipnet_train(flip, &samples, o, err) || qc_flipnet_judge(report, flip, &test, err)) goto end;
    status = 0;
end:
    qc_oraclesamples_release(&samples);
    qc_oraclesamples_release(&test);
    return status;
}
