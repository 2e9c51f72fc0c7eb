#include "importoptions.h"

#include <stdio.h>
#include <string.h>

static void add_options(QcImportTable *t, const QcOption *table)
{
    for (; table->name; table++) t->options[t->n_options++] = *table;
}

static void add_rows(QcImportTable *t, const QcImporter *i, int all)
{
    for (const QcImportRow *const *row = i->rows; *row && t->n_rows < QC_IMPORT_ROWS; row++) {
        int k = 0;
        while (k < t->n_rows && strcmp(t->rows[k]->name, (*row)->name)) k++;
        if (k < t->n_rows || (!all && !(*row)->common)) continue;
        t->rows[k] = *row;
        t->n_rows++;
        int flag = (*row)->kind == QC_ROW_FLAG;
        void *value = flag ? (void *)&t->flags[k] : (void *)&t->texts[k];
        t->options[t->n_options++] = (QcOption){
            0, (*row)->name, flag ? QC_OPTION_FLAG : QC_OPTION_TEXT, value, (*row)->meta, (*row)->help, 0, 0};
    }
}

static int is_model_format(const char *name)
{
    return !strcmp(name, "onnx") || !strcmp(name, "tflite") || !strcmp(name, "safetensors");
}

/* The value of -f among the arguments, and whether help is asked for. */
static const char *look_ahead(int argc, char **argv, int *help)
{
    const char *named = NULL;
    for (int k = 1; k < argc && strcmp(argv[k], "--"); k++) {
        if (!strcmp(argv[k], "-h") || !strcmp(argv[k], "--help")) *help = 1;
        if ((!strcmp(argv[k], "-f") || !strcmp(argv[k], "--format")) && k + 1 < argc) named = argv[k + 1];
        else if (!strncmp(argv[k], "--format=", 9)) named = argv[k] + 9;
        else if (!strncmp(argv[k], "-f", 2) && argv[k][2]) named = argv[k] + 2;
    }
    return named;
}

void qc_importtable_make(QcImportTable *t, const QcOption *common, const QcOption *models, int argc, char **argv)
{
    int help = 0;
    const char *named = look_ahead(argc, argv, &help);
    const QcImporter *one = named ? qc_importer_named(named) : NULL;
    size_t used = (size_t)snprintf(t->synopsis, sizeof t->synopsis, "[options] [PATH]\n\n");
    for (const QcImporter *const *i = qc_importers; *i; i++)
        if (!one || *i == one)
            used += (size_t)snprintf(t->synopsis + used, sizeof t->synopsis - used, "  %-10s %s\n", (*i)->name,
                                     (*i)->what);
    if (!one)
        snprintf(t->synopsis + used, sizeof t->synopsis - used,
                 "  %-10s %s\n\n`qc-import -f FORMAT -h` shows the options of a format; common ones:", "onnx",
                 "a model; also tflite, safetensors");
    else t->synopsis[used - 1] = 0;
    add_options(t, common);
    for (const QcImporter *const *i = qc_importers; *i; i++)
        if (!help || !one || *i == one) add_rows(t, *i, !help || *i == one);
    if (!help || (named && is_model_format(named)) || (one && !strcmp(named, "npz"))) add_options(t, models);
    t->options[t->n_options] = (QcOption){0};
}

int qc_importtable_read(const QcImportTable *t, QcImportOptions *o, QcErr *err)
{
    for (int k = 0; k < t->n_rows; k++)
        if ((t->flags[k] || t->texts[k]) && qc_row_read(o, t->rows[k], t->texts[k], err)) return -1;
    return 0;
}

int qc_importtable_given(const QcImportTable *t)
{
    for (int k = 0; k < t->n_rows; k++)
        if (t->flags[k] || t->texts[k]) return 1;
    return 0;
}
