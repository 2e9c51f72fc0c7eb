#include "score.h"

#include <math.h>

#include "../nn/loss.h"

typedef struct Bin {
    uint32_t right;
    double confidence; /* summed */
} Bin;

/* ln sum exp, less the largest: nothing overflows. */
static double log_sum(const float *logits, uint32_t classes, uint32_t top)
{
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++) sum += exp((double)logits[c] - logits[top]);
    return log(sum) + logits[top];
}

static uint32_t bin_of(double confidence)
{
    double k = ceil(confidence * QC_ECE_BINS) - 1; /* bins are closed above */
    return k < 0 ? 0 : k >= QC_ECE_BINS ? QC_ECE_BINS - 1 : (uint32_t)k;
}

static double calibration_error(const Bin *bins, uint32_t n)
{
    double error = 0;
    for (int k = 0; k < QC_ECE_BINS; k++) error += fabs(bins[k].right - bins[k].confidence) / n; /* a bin's size cancels */
    return error;
}

static void finish(QcScore *s, const Bin *bins, double loss)
{
    uint32_t present = 0;
    double sum = 0;
    s->accuracy = s->n ? (double)s->right / s->n : NAN;
    s->loss = s->n ? loss / s->n : NAN;
    s->ece = s->n ? calibration_error(bins, s->n) : NAN;
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
    Bin bins[QC_ECE_BINS] = {{0}};
    double loss = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *row = logits + (size_t)i * classes;
        if (labels[i] < 0) {
            s->unlabelled++;
            continue;
        }
        uint32_t top = qc_argmax(row, classes), label = (uint32_t)labels[i];
        double log_all = log_sum(row, classes, top), confidence = exp(row[top] - log_all);
        Bin *bin = &bins[bin_of(confidence)];
        bin->right += top == label;
        bin->confidence += confidence;
        loss += log_all - row[label];
        s->n++;
        s->right += top == label;
        s->confusion[(size_t)label * classes + top]++;
    }
    finish(s, bins, loss);
    return 0;
}

void qc_score_release(QcScore *s)
{
    if (!s) return;
    qc_arena_release(&s->arena);
    *s = (QcScore){0};
}
