/* learn.h - for targets that read a learner: it predicts windows, one more than it gets labels for, and adapts. */
#ifndef QC_TESTS_LEARN_H
#define QC_TESTS_LEARN_H

#include <string.h>

#include "../../lib/device/learner.h"
#include "fuzz.h"

enum { LEARN_RING = 6, LEARN_WINDOW = 1024 }; /* windows; their bytes at most */

/* The windows have the ids first_id and on. */
static inline void learn_windows(QcLearner *l, uint64_t first_id)
{
    uint8_t window[LEARN_WINDOW];
    QcAnswer answer;
    QcAdaptReport report;
    for (uint32_t i = 0; i < LEARN_RING; i++) {
        memset(window, (int)(40 * i + 10), sizeof window);
        qc_learner_predict(l, &answer, window, first_id + i);
        fuzz_demand(answer.class_index < l->shape.classes, "an answer that is no class");
        fuzz_demand(answer.probability >= 0 && answer.probability <= 1, "a probability that is none");
        if (i != 2) qc_learner_label(l, answer.number, (uint16_t)(i % l->shape.classes));
    }
    qc_learner_adapt(l, &report);
    fuzz_demand(qc_learner_is_sound(l), "a sound learner has become an unsound one");
}

#endif
