/* A dataset as a table with a header, a window per row: group and recording if they have names, the values channel
 * after channel with all their digits, the label last where there are labels (empty: none). qc-import reads it back
 * with --channels. */
#include <stdio.h>
#include <string.h>

#include "dataset.h"

static void put_name(FILE *out, const char *name)
{
    if (!strpbrk(name, ",;\t\"\n\r '") && *name) {
        fputs(name, out);
        return;
    }
    putc('"', out);
    for (const char *c = name; *c; c++) {
        if (*c == '"') putc('"', out);
        putc(*c, out);
    }
    putc('"', out);
}

/* Nine digits identify every float; the decimal sign is a point in every locale. */
static void put_value(FILE *out, float value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    for (char *c = text; *c; c++)
        if (*c == ',') *c = '.';
    fputs(text, out);
}

static void put_header(FILE *out, const QcDataset *d)
{
    if (d->groups.n) fputs("group,", out);
    if (d->recordings.n) fputs("recording,", out);
    for (uint32_t c = 1; c <= d->channels; c++)
        for (uint32_t h = 1; h <= d->height; h++)
            for (uint32_t t = 1; t <= d->length; t++) {
                int last = c == d->channels && h == d->height && t == d->length;
                if (d->height == 1) fprintf(out, "c%u_%u%s", c, t, last ? "" : ",");
                else fprintf(out, "c%u_%u_%u%s", c, h, t, last ? "" : ",");
            }
    fputs(d->labels.n ? ",label\n" : "\n", out);
}

static void put_row(FILE *out, const QcDataset *d, uint32_t i)
{
    const float *x = qc_dataset_window(d, i);
    uint64_t values = qc_dataset_values(d);
    if (d->groups.n) put_name(out, d->groups.names[d->group[i]]), putc(',', out);
    if (d->recordings.n) put_name(out, d->recordings.names[d->recording[i]]), putc(',', out);
    for (uint64_t k = 0; k < values; k++) {
        if (k) putc(',', out);
        put_value(out, x[k]);
    }
    if (d->labels.n) putc(',', out);
    if (d->label[i] >= 0) put_name(out, d->labels.names[d->label[i]]);
    putc('\n', out);
}

int qc_dataset_save_csv(const QcDataset *d, const char *path, QcErr *err)
{
    QcOutput out;
    if (qc_output_open(&out, path, 0, err)) return -1;
    put_header(out.stream, d);
    for (uint32_t i = 0; i < d->n && !ferror(out.stream); i++) put_row(out.stream, d, i);
    return qc_output_commit(&out, err);
}
