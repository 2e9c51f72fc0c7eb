/* cmodelsize.c - RAM and flash of an exported model. */
#include "../device/stream.h"
#include "../format/fronttables.h"
#include "cmodel.h"

static uint64_t aligned(uint64_t bytes) { return (bytes + QC_PLACING_ALIGN - 1) / QC_PLACING_ALIGN * QC_PLACING_ALIGN; }

const QcFlip *qc_cmodel_flips(const QcCModel *m)
{
    return m->learner && m->learner->setup.flips ? m->learner->setup.flip : NULL;
}

uint32_t qc_cmodel_filled(const QcSlots *s)
{
    uint32_t n = 0;
    while (n < s->capacity && !(s->flags[n] & QC_SLOT_EMPTY)) n++;
    return n;
}

void qc_cmodel_measure(QcCModel *m)
{
    const QcQGraph *g = m->g;
    m->flash = g->n_code_bytes + (uint64_t)g->n_channels * 13 + g->n_nodes * sizeof(QcQNode) +
               g->n_tensors * sizeof(QcQTensor) + m->file->channels * 8u;
    if (m->drift)
        m->flash += (uint64_t)g->classes * m->drift->features + 4 * ((uint64_t)g->classes + m->drift->features) +
                    sizeof *m->drift;
    if (m->front) m->flash += qc_fronttables_bytes(m->front);
    if (!m->learner) {
        m->memory[0] = m->memory[1] = qc_qgraph_inference_bytes(g);
        m->ram = m->memory[0] + sizeof(float) * g->classes;
        return;
    }
    const QcLearnerSetup *s = &m->learner->setup;
    const QcFlip *flip = qc_cmodel_flips(m);
    m->memory[0] = m->memory[1] = qc_learner_bytes(s);
    if (flip) { /* of the learner's arrays only the pointers to windows depend on the processor */
        uint64_t z = (uint64_t)s->capacity + s->ring;
        m->memory[1] += aligned(z * 8) - aligned(z * sizeof(void *));
        m->memory[0] = m->memory[1] - aligned(z * 8) + aligned(z * 4);
        m->flash += sizeof(QcFlip) + flip->n_feedback + flip->n_layers * (sizeof(QcFlipLayer) + 4);
    }
    const QcSlots *slots = &m->learner->coreset;
    m->flash += (uint64_t)qc_cmodel_filled(slots) * (slots->window + slots->features + 13) +
                (m->has_learned ? m->learner->learned_bytes : 0);
    m->ram = m->memory[0] + sizeof(float) * g->classes;
}

uint64_t qc_cmodel_frames(const QcCModel *m)
{
    uint64_t sound = m->front ? 4 * (uint64_t)qc_front_words(m->front) + sizeof(QcFrontRun) + 4 * m->file->channels : 0;
    return (uint64_t)m->file->height * m->file->length * m->file->channels + sizeof(QcFrames) + sound;
}

uint64_t qc_cmodel_stack(const QcCModel *m) { return qc_cmodel_flips(m) ? QC_C_FLIP_STACK : QC_C_PREDICT_STACK; }
