#include "score.h"

#include <math.h>

#include "../nn/loss.h"

/* ln sum exp, less the largest: nothing overflows. */
static double log_sum(const float *logits, uint32_t classes, uint32_t top)
{
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++) sum += exp((double)logits[c] - logits[top]);
    return log(sum) + logits[top];
}

static void finish(QcScore *s, const QcEce *ece, double loss)
{
    uint32_t present = 0;
    double sum = 0;
    s->accuracy = s->n ? (double)s->right / s->n : NAN;
    s->loss = s->n ? loss / s->n : NAN;
    s->ece = qc_ece(ece);
    for (uint32_t c = 0; c < s->classes; c++) {
        const uint32_t *row = s->confusion + (size_t)c * s->classes;
        for (uint32_t k = 0; k < s->classes; k++) s->examples[c] += row[k];
        s->recall[c] = s->examples[c] ? (double)row[c] / s->examples[c] : NAN;
        if (!s->examples[c]) continue;
        present++;
        sum += s->recall[c];
    }
    s->recall_mean = present ? sum / present : NAN;
}

int qc_score(QcScore *s, const float *logits, const int32_t *labels, uint32_t n, uint32_t classes, QcErr *err)
{
    *s = (QcScore){.classes = classes};
    s->confusion = qc_arena_take(&s->arena, (size_t)classes * classes, sizeof *s->confusion, err);
    s->examples = qc_arena_take(&s->arena, classes, sizeof *s->examples, err);
    s->recall = qc_arena_take(&s->arena, classes, sizeof *s->recall, err);
    if (!s->confusion || !s->examples || !s->recall) {
        qc_score_release(s);
        return -1;
    }
    QcEce ece = {0};
    double loss = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *row = logits + (size_t)i * classes;
        if (labels[i] < 0) {
            s->unlabelled++;
            continue;
        }
        uint32_t top = qc_argmax(row, classes), label = (uint32_t)labels[i];
        double log_all = log_sum(row, classes, top), confidence = exp(row[top] - log_all);
        qc_ece_add(&ece, confidence, top == label);
        loss += log_all - row[label];
        s->n++;
        s->right += top == label;
        s->confusion[(size_t)label * classes + top]++;
    }
    finish(s, &ece, loss);
    return 0;
}

void qc_score_release(QcScore *s)
{
    if (!s) return;
    qc_arena_release(&s->arena);
    *s = (QcScore){0};
}
