#include "import.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

const QcImportOptions qc_import_defaults = {.header = -1};

const QcImporter qc_importers[] = {
    {"dsa", "UCI Daily and Sports Activities: a folder of aNN/pN/sNN.txt", 1, 0, qc_recognise_dsa, qc_import_dsa},
    {"ts", "UCR/UEA archive, .ts: series of equal length", 0, 0, qc_recognise_ts, qc_import_ts},
    {"csv", "a table with one window a row (.csv, .tsv)", 1, 1, qc_recognise_csv, qc_import_csv},
    {0},
};

static const QcImporter *importer_named(const char *name, QcErr *err)
{
    char known[128] = "";
    for (const QcImporter *i = qc_importers; i->name; i++) {
        if (!strcmp(i->name, name)) return i;
        if (*known) strcat(known, i[1].name ? ", " : " or ");
        strcat(known, i->name);
    }
    qc_fail(err, QC_EUSAGE, "there is no format '%.40s' (use %s)", name, known);
    return NULL;
}

static const QcImporter *importer_for(const char *path, QcErr *err)
{
    struct stat about;
    if (!qc_is_standard(path) && stat(path, &about)) {
        uint8_t *none = NULL;
        size_t length;
        qc_read_all(path, &none, &length, err); /* says why it cannot be read */
        return NULL;
    }
    for (const QcImporter *i = qc_importers; i->name && !qc_is_standard(path); i++)
        if (i->recognises(path)) return i;
    qc_fail(err, QC_EUSAGE, "the format of %.300s is not certain: name it with -f", qc_input_name(path));
    return NULL;
}

static const char *complain(const QcImporter *i, const QcImportOptions *o)
{
    if (o->n_groups && !i->takes_groups) return "has no groups to pick from";
    if (!i->takes_columns && (o->channels || o->label || o->group || o->recording || o->header >= 0))
        return "says itself which values are what: options about columns do not apply";
    if (o->n_groups && i->takes_columns && !o->group) return "needs a group column when groups are picked";
    return NULL;
}

int qc_import(QcDataset *d, const char *format, const char *path, const QcImportOptions *o, QcErr *err)
{
    *d = (QcDataset){0};
    const QcImporter *i = format ? importer_named(format, err) : importer_for(path, err);
    if (!i) return -1;
    const char *complaint = complain(i, o);
    if (complaint) return qc_fail(err, QC_EUSAGE, "format %s %s", i->name, complaint);
    if (i->import(d, path, o, err)) {
        qc_dataset_release(d);
        return -1;
    }
    return 0;
}
