#include "bitflip.h"

#include "../format/flipfile.h"

const QcBitflipOptions qc_bitflip_defaults = {
    .persons = 8, .test_persons = 2, .steps = 1500, .batch = 2048, .rate = 3e-3, .seed = 1, .threads = 1};

enum { FEEDBACK_PERSONS = 8 };

static void show(const QcBitflipOptions *o, const char *what, uint32_t done, uint32_t of)
{
    if (o->progress) o->progress(what, done, of);
}

int qc_bitflip_train(QcFlip *flip, QcBitflipReport *report, QcQGraph *g, const QcModelFile *m, const QcWindows *source,
                     const QcBitflipOptions *o, QcArena *arena, QcErr *err)
{
    int8_t *feedback;
    float *scale;
    QcLessons lessons = {0}, test = {0};
    QcTeacherOptions teaching = o->teacher;
    teaching.seed = o->seed;
    teaching.threads = o->threads;
    QcTeacher teacher = {g, flip, source, m, &teaching};
    int status = -1;
    *report = (QcBitflipReport){0};
    if (!source->n) return qc_fail(err, QC_EFORMAT, "there is no example to teach the flip network on");
    if (qc_flipfile_allocate(flip, g, &feedback, &scale, arena, err)) return -1;
    show(o, "feedback", 0, 1);
    if (qc_fit_feedback(&teacher, feedback, scale, FEEDBACK_PERSONS, err)) goto end;
    for (uint32_t p = 0; p < o->persons + o->test_persons; p++) {
        show(o, "simulated persons", p, o->persons + o->test_persons);
        if (qc_teach(&teacher, p < o->persons ? &lessons : &test, p, err)) goto end;
    }
    show(o, "network", 0, 1);
    report->lessons = lessons.n;
    report->test_lessons = test.n;
    if (!lessons.n) {
        qc_fail(err, QC_EFAIL, "back-propagation moved no weight: there is nothing to teach");
        goto end;
    }
    if (qc_flipnet_train(flip, &lessons, o, err) || qc_flipnet_judge(report, flip, &test, err)) goto end;
    status = 0;
end:
    qc_lessons_release(&lessons);
    qc_lessons_release(&test);
    return status;
}
