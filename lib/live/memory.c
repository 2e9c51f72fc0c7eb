#include "memory.h"

#include "../base/file.h"
#include "../format/flipfile.h"
#include "../format/modelplan.h"
#include "../format/qgraphfile.h"
#include "../quant/qpredict.h"
#include "devicestep.h"

static int plan_model(QcMemory *m, const QcModelFile *file, uint32_t slots, uint32_t batch, QcArena *arena, QcErr *err)
{
    QcQGraph g;
    QcFlip flip = {0};
    QcCursor any;
    int has_flip = qc_container_find(&file->container, "flip", &any);
    if (qc_qgraphfile_decode(&g, file, arena, err) ||
        (has_flip && qc_flipfile_decode(&flip, file, &g, arena, err)))
        return -1;
    qc_modelfile_plan(&m->model, &g, &flip);
    qc_qpredict_bytes(&m->inference, &g);
    QcLearnerSetup setup = {.graph = &g,
                            .flips = has_flip ? &qc_flip_rounds : NULL,
                            .flip = &flip,
                            .parameters = qc_parameters_default(g.bits),
                            .capacity = slots,
                            .ring = batch};
    if (has_flip || qc_head_fits(&g)) qc_learner_plan(&m->calibration, &setup);
    return 0;
}

int qc_memory_of_model(QcMemory *m, const char *path, uint32_t slots, uint32_t batch, QcErr *err)
{
    QcModelFile file;
    QcArena arena = {0};
    *m = (QcMemory){0};
    if (qc_modelfile_load(&file, path, err)) return -1;
    int status = plan_model(m, &file, slots, batch, &arena, err);
    qc_arena_release(&arena);
    qc_modelfile_release(&file);
    return status ? qc_within(err, qc_input_name(path)) : 0;
}

void qc_memory_of_session(QcMemory *m, const QcSession *s)
{
    const QcMethodRun *l = &s->learner;
    *m = (QcMemory){0};
    qc_modelfile_plan(&m->model, &s->g, &s->flip);
    qc_qpredict_bytes(&m->inference, &s->g);
    if (l->method->observe) {
        qc_learner_plan(&m->calibration, &qc_devicestep_learner(l)->setup);
    } else {
        qc_session_plan_batch(&m->batch, l->batch_max, l->window); /* methods off the device take what they want as they
                                                                      go */
        QcPlacing p = {.plan = &m->calibration};
        qc_placing_part(&p, l->method->name);
        qc_placing_take(&p, l->bytes);
    }
}
