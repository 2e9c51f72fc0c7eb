/* tabletext.h - a table as text is imported, or refused: what tests of tables share. Include after suite.h, scratch.h
 * and importing.h. */
#ifndef QC_TESTS_TABLETEXT_H
#define QC_TESTS_TABLETEXT_H

static char said[4000];

static inline void hear(void *ctx, int warning, const char *sentence)
{
    (void)ctx;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s%s\n", warning ? "warning: " : "", sentence);
}

/* All values of all windows, and their labels: "1 2 a; 3 4 b; ". */
static inline const char *text_of(const QcDataset *d)
{
    static char text[4000];
    size_t n = 0, values = qc_dataset_values(d);
    *text = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        for (size_t k = 0; k < values; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%.9g ", (double)d->x[i * values + k]);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s; ", d->label[i] < 0 ? "-" : d->labels.names[d->label[i]]);
    }
    return text;
}

static inline void check(const char *table, QcImportOptions o, const char *values, const char *words)
{
    QcDataset d;
    const char *path = scratch_text("f", table);
    *said = 0;
    o.note = hear;
    ck_assert_msg(!import(&d, "csv", path, o), "%s\n%s", table, err.text);
    ck_assert_str_eq(text_of(&d), values);
    if (words) ck_assert_msg(strstr(said, words) != NULL, "%s", said);
    qc_dataset_release(&d);
}

static inline void refuse(const char *table, QcImportOptions o, QcCode code, const char *words)
{
    QcDataset d;
    o.note = hear;
    ck_assert_msg(import(&d, "csv", scratch_text("f", table), o) == -1, "%s", table);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

#endif
