#include "scoretable.h"

#include <stdio.h>

#include "cli.h"

static void print_json_confusion(const QcScore *s, const QcModelFile *m)
{
    printf(", \"labels\": [");
    for (uint32_t c = 0; c < s->classes; c++) {
        if (c) printf(", ");
        qc_json_text(m->labels[c]);
    }
    printf("], \"confusion\": [");
    for (uint32_t c = 0; c < s->classes; c++)
        for (uint32_t k = 0; k < s->classes; k++)
            printf("%s%u%s", k ? ", " : c ? ", [" : "[", s->confusion[(size_t)c * s->classes + k],
                   k + 1 == s->classes ? "]" : "");
    printf("]");
}

static void print_json(const char *path, const QcScore *s, const QcModelFile *m, int confusion)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {{"accuracy", s->accuracy}, {"loss", s->loss}, {"ece", s->ece}, {"recall_mean", s->recall_mean}};
    printf("{\"data\": ");
    qc_json_text(path);
    printf(", \"examples\": %u, \"unlabelled\": %u", s->n, s->unlabelled);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        printf(", \"%s\": ", figures[i].name);
        qc_json_real(figures[i].value, 6);
    }
    printf(", \"recall\": {");
    for (uint32_t c = 0; c < s->classes; c++) {
        if (c) printf(", ");
        qc_json_text(m->labels[c]);
        printf(": ");
        qc_json_real(s->recall[c], 6);
    }
    printf("}");
    if (confusion) print_json_confusion(s, m);
    printf("}\n");
}

static void print_table(const char *path, const QcScore *s, const QcModelFile *m, int confusion)
{
    printf("data\t");
    qc_print_text(path);
    printf("\nexamples\t%u\n", s->n);
    if (s->unlabelled) printf("unlabelled\t%u\n", s->unlabelled);
    printf("accuracy\t%.4f\nloss\t%.4f\nece\t%.4f\nrecall_mean\t%.4f\n", s->accuracy, s->loss, s->ece, s->recall_mean);
    printf("class\texamples\trecall");
    for (uint32_t c = 0; c < s->classes && confusion; c++) {
        printf("\tas ");
        qc_print_text(m->labels[c]);
    }
    putchar('\n');
    for (uint32_t c = 0; c < s->classes; c++) {
        qc_print_text(m->labels[c]);
        printf("\t%u\t%.4f", s->examples[c], s->recall[c]);
        for (uint32_t k = 0; k < s->classes && confusion; k++) printf("\t%u", s->confusion[(size_t)c * s->classes + k]);
        putchar('\n');
    }
}

void qc_print_score(const char *path, const QcScore *s, const QcModelFile *m, int json, int confusion)
{
    (json ? print_json : print_table)(path, s, m, confusion);
}
