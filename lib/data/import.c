#include "import.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "importleak.h"
#include "number.h"
#include "series.h"
#include "tree.h"

const QcImportOptions qc_import_defaults = {0};

/* Importers of trees come first, because they look for file names that no other format has. */
const QcImporter *const qc_importers[] = {
    &qc_importer_dsa,    &qc_importer_uschad,   &qc_importer_ucihar, &qc_importer_wisdm, &qc_importer_pamap2,
    &qc_importer_images, &qc_importer_ts,       &qc_importer_npz,    &qc_importer_npy,   &qc_importer_arff,
    &qc_importer_libsvm, &qc_importer_wav,      &qc_importer_raw,    &qc_importer_wfdb,  &qc_importer_idx,
    &qc_importer_mat,    &qc_importer_segments, &qc_importer_tsv,    &qc_importer_csv,   NULL};

const QcImporter *qc_importer_named(const char *format)
{
    for (const QcImporter *const *i = qc_importers; *i; i++)
        if (!strcmp((*i)->name, format)) return *i;
    return NULL;
}

static const QcImporter *importer_named(const char *name, QcErr *err)
{
    char known[256] = "";
    const QcImporter *found = qc_importer_named(name);
    if (found) return found;
    for (const QcImporter *const *i = qc_importers; *i; i++) {
        if (*known) strcat(known, i[1] ? ", " : " or ");
        strcat(known, (*i)->name);
    }
    qc_fail(err, QC_EUSAGE, "there is no format '%.40s' (use %s; of models onnx, tflite, npz or safetensors)", name,
            known);
    return NULL;
}

/* --- what is certainly of another kind ---------------------------------------------------------------- */

typedef struct Foreign {
    const char *ending, *what;
} Foreign;

static const Foreign foreign[] = {
    {".pth", "a PyTorch checkpoint (pickled code): load it in Python and export with torch.onnx.export (a model) or "
             "numpy.savez (arrays)"},
    {".pt", "a PyTorch file (pickled code): load it in Python and export with torch.onnx.export (a model) or "
            "numpy.savez (arrays)"},
    {".pkl", "pickled Python code: load it in Python and save it with numpy.savez"},
    {".h5", "an HDF5 file: save its arrays with numpy.savez in Python (h5py), or a Keras model as ONNX with tf2onnx"},
    {".hdf5", "an HDF5 file: save its arrays with numpy.savez in Python (h5py), or a Keras model as ONNX with tf2onnx"},
    {".keras", "a Keras model: export it as ONNX with tf2onnx"},
    {".tar", "an archive: unpack it first (tar -xf) and import the folder"},
    {".tgz", "an archive: unpack it first (tar -xzf) and import the folder"},
    {".tar.gz", "an archive: unpack it first (tar -xzf) and import the folder"},
    {".tar.zst", "an archive: unpack it first (tar --zstd -xf) and import the folder"},
    {".zip", "an archive: unpack it first (unzip) and import the folder or the file in it"},
    {".7z", "an archive: unpack it first (7z x) and import the folder or the file in it"},
    {".rar", "an archive: unpack it first and import the folder or the file in it"},
    {".parquet", "a Parquet table: save it as CSV (pandas: read_parquet, to_csv)"},
    {".xlsx", "an Excel workbook: save the sheet as CSV"},
    {".xls", "an Excel workbook: save the sheet as CSV"},
    {".edf", "an EDF recording: convert it to WFDB (edf2mit) or CSV"},
    {".cbor", "Edge Impulse's CBOR: export the data as CSV"},
    {".mp3", "compressed sound: convert it to WAV (ffmpeg -i IN OUT.wav)"},
    {".m4a", "compressed sound: convert it to WAV (ffmpeg -i IN OUT.wav)"},
    {".qcd", "a qcore data file already: there is nothing to import"},
    {".qcm", "a qcore model file already: there is nothing to import"},
};

static int ends_in(const char *path, const char *ending)
{
    size_t a = strlen(path), b = strlen(ending);
    return a > b && !strcasecmp(path + a - b, ending);
}

static int refuse_foreign(const char *path, QcErr *err)
{
    for (size_t k = 0; k < sizeof foreign / sizeof *foreign; k++)
        if (ends_in(path, foreign[k].ending)) return qc_fail(err, QC_EFORMAT, "%.200s is %s", path, foreign[k].what);
    return 0;
}

/* --- finding the format ---------------------------------------------------------------------------------- */

/* Files of a folder that are all of one format, as far as they are of any; or what the name pattern ends in. */
static const QcImporter *importer_of_files(const char *path, const char *pattern, QcErr *err)
{
    QcArena arena = {0};
    QcFolder folder;
    const QcImporter *found = NULL;
    int several = 0;
    if (qc_folder_read(&folder, path, &arena, err)) {
        qc_arena_release(&arena);
        return NULL;
    }
    for (const QcImporter *const *i = qc_importers; *i; i++) {
        int takes = 0;
        if (!(*i)->gather && !(*i)->files) continue;
        for (uint32_t k = 0; !pattern && !takes && k < folder.n; k++)
            takes = !folder.entries[k].is_folder && (*i)->recognises(folder.entries[k].path);
        if (pattern) takes = (*i)->recognises(pattern);
        several += takes;
        if (takes) found = *i;
    }
    qc_arena_release(&arena);
    return several == 1 ? found : NULL;
}

static const QcImporter *importer_for(const char *path, const QcImportOptions *o, QcErr *err)
{
    struct stat about;
    if (!qc_is_standard(path) && stat(path, &about)) {
        uint8_t *none = NULL;
        size_t length;
        qc_read_all(path, &none, &length, err); /* fails with the reason */
        return NULL;
    }
    const QcImporter *found = NULL;
    int folder = !qc_is_standard(path) && qc_is_folder(path);
    for (const QcImporter *const *i = qc_importers; *i && !qc_is_standard(path); i++) {
        if (!(*i)->recognises(path)) continue;
        if (!found) found = *i;
        else if (folder) { /* of two formats for files, the more special format comes first */
            qc_fail(err, QC_EUSAGE, "%.300s may be %s or %s: name it with -f", path, found->name, (*i)->name);
            return NULL;
        }
    }
    if (!found && folder) found = importer_of_files(path, o->name_pattern, err);
    if (!found && !qc_is_standard(path) && refuse_foreign(path, err)) return NULL;
    if (!found) qc_fail(err, QC_EUSAGE, "the format of %.300s is not certain: name it with -f", qc_input_name(path));
    return found;
}

static int import_file(QcDataset *d, const QcImporter *i, const char *path, const QcImportOptions *o, QcErr *err)
{
    if (i->import) return i->import(d, path, o, err);
    QcSeriesList list = {0};
    int status = i->gather(&list, path, o, err) || qc_import_finish(d, &list, o, err) ? -1 : 0;
    qc_series_release(&list);
    return status;
}

/* --- names of classes ---------------------------------------------------------------------------------------- */

/* The name in small letters and without blanks around it. */
static char *fold(QcArena *arena, const char *name, QcErr *err)
{
    size_t n = strlen(name);
    while (n && *name == ' ') name++, n--;
    while (n && name[n - 1] == ' ') n--;
    char *folded = qc_arena_text(arena, name, n, err);
    for (char *c = folded; c && *c; c++) *c = (char)tolower((unsigned char)*c);
    return folded;
}

/* Warns of class names that may be mistakes: names that differ only in case or blanks, words for missing values. */
static int doubt_labels(const QcNames *labels, const QcImportOptions *o, QcErr *err)
{
    QcArena arena = {0};
    QcNameTable table = {0};
    int status = 0;
    for (uint32_t k = 0; status >= 0 && k < labels->n; k++) {
        const char *name = labels->names[k], *folded = fold(&arena, name, err);
        status = folded ? qc_nametable_add(&table, &arena, folded, k, err) : -1;
        if (status == 1)
            qc_import_warn(o, "the classes '%.60s' and '%.60s' differ in case or blanks only",
                           labels->names[qc_nametable_find(&table, folded)], name);
        if (qc_number_is_missing(name, name + strlen(name)))
            qc_import_warn(o, "'%.60s' was taken as a class: a missing label is an empty cell", name);
    }
    qc_arena_release(&arena);
    return status < 0 ? -1 : 0;
}

static int doubt_channels(const QcDataset *d, const QcImportOptions *o, QcErr *err)
{
    int64_t c;
    if (qc_import_find_leak(&c, d, err)) return -1;
    if (c >= 0)
        qc_import_warn(o,
                       "channel %lld of %u has one value in each class, so it may encode the label: leave it out if "
                       "it is not measured",
                       (long long)c + 1, d->channels);
    return 0;
}

static int takes(const QcImporter *i, const QcImportRow *wanted)
{
    for (const QcImportRow *const *row = i->rows; *row; row++)
        if (*row == wanted) return 1;
    return 0;
}

/* Said here, where another option may still mend it, and not only by the first program that trains. */
static void warn_of_size(const QcDataset *d, const QcImporter *i, const QcImportOptions *o)
{
    if (qc_model_can_take(d->channels, d->height, d->length)) return;
    qc_import_warn(o, "windows of %u channels x %u are too large for a model: each may be at most %d%s", d->channels,
                   d->length, QC_MODEL_DIM_MAX,
                   d->length > QC_MODEL_DIM_MAX && takes(i, &qc_row_window) ? " (--window cuts recordings)" : "");
}

int qc_import(QcDataset *d, const char *format, const char *path, const QcImportOptions *o, QcErr *err)
{
    *d = (QcDataset){0};
    const QcImporter *i = format ? importer_named(format, err) : importer_for(path, o, err);
    if (!i || qc_rows_check(o, i->name, i->rows, err)) return -1;
    int many = (i->gather || i->files) && !qc_is_standard(path) && qc_is_folder(path);
    if (o->name_pattern && !many && strcmp(i->name, "segments") && strcmp(i->name, "images"))
        return qc_fail(err, QC_EUSAGE, "--name-pattern is for the files of a folder, and %.300s is %s",
                       qc_input_name(path), "a file");
    int status = many ? qc_import_files(d, i, path, o, err) : import_file(d, i, path, o, err);
    if (!status) status = qc_import_pick_groups(d, o, qc_input_name(path), err);
    if (!status) status = doubt_labels(&d->labels, o, err);
    if (!status) status = doubt_channels(d, o, err);
    if (!status) warn_of_size(d, i, o);
    if (status) qc_dataset_release(d);
    return status ? -1 : 0;
}

/* --- what importers share ------------------------------------------------------------------------------------ */

static void say(const QcImportOptions *o, int warning, const char *format, va_list args)
{
    char sentence[1024];
    if (!o->note) return;
    vsnprintf(sentence, sizeof sentence, format, args);
    o->note(o->ctx, warning, sentence);
}

void qc_import_note(const QcImportOptions *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(o, 0, format, args);
    va_end(args);
}

void qc_import_warn(const QcImportOptions *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(o, 1, format, args);
    va_end(args);
}

int qc_import_wants(const QcImportOptions *o, const char *group)
{
    for (uint32_t k = 0; k < o->n_groups; k++)
        if (!strcmp(o->groups[k], group)) return 1;
    return !o->n_groups;
}

int qc_import_check_groups(const QcImportOptions *o, const QcNames *groups, const char *path, QcErr *err)
{
    for (uint32_t k = 0; k < o->n_groups; k++)
        if (qc_names_find(groups, o->groups[k]) < 0)
            return qc_fail(err, QC_EUSAGE, "there is no group '%.60s' in %.300s", o->groups[k], path);
    return 0;
}

int qc_import_pick_groups(QcDataset *d, const QcImportOptions *o, const char *path, QcErr *err)
{
    if (!o->n_groups) return 0;
    if (!d->groups.n)
        return qc_fail(err, QC_EUSAGE, "%.300s has no groups to pick from (a column or --name-pattern names them)",
                       path);
    if (qc_import_check_groups(o, &d->groups, path, err)) return -1;
    uint32_t *index = malloc((d->n ? d->n : 1) * sizeof *index), n = 0;
    QcDataset picked;
    if (!index) return qc_fail_memory(err, "examples");
    for (uint32_t i = 0; i < d->n; i++)
        if (qc_import_wants(o, d->groups.names[d->group[i]])) index[n++] = i;
    int status = n == d->n ? 0 : qc_dataset_subset(&picked, d, index, n, 0, err);
    free(index);
    if (status) return -1;
    if (n == d->n) return 0;
    qc_dataset_release(d);
    *d = picked;
    return 0;
}

/* Sorted by number where the names are numbers: strverscmp puts 2 before 10. */
static int compare_labels(const void *a, const void *b) { return strverscmp(*(char *const *)a, *(char *const *)b); }

int qc_import_sort_labels(QcDataset *d, QcErr *err)
{
    uint32_t n = d->labels.n;
    QcArena scratch = {0};
    char **old = qc_arena_take(&scratch, n, sizeof *old, err);
    int32_t *map = old ? qc_arena_take(&scratch, n, sizeof *map, err) : NULL;
    int status = map ? 0 : -1;
    if (!status && n) {
        memcpy(old, d->labels.names, n * sizeof *old);
        qsort(d->labels.names, n, sizeof *d->labels.names, compare_labels);
        d->labels.table = (QcNameTable){0}; /* of the old order */
        status = qc_names_index(&d->labels, &d->arena, err);
    }
    for (uint32_t k = 0; !status && k < n; k++) map[k] = (int32_t)qc_names_find(&d->labels, old[k]);
    for (uint32_t i = 0; !status && n && i < d->n; i++) d->label[i] = d->label[i] < 0 ? -1 : map[d->label[i]];
    qc_arena_release(&scratch);
    return status;
}
