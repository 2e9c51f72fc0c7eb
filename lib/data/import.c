#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tree.h"

const QcImportOptions qc_import_defaults = {.header = -1};

enum { TABLE = QC_TAKES_GROUPS | QC_TAKES_COLUMNS | QC_TAKES_HEADER | QC_TAKES_LABEL | QC_TAKES_CHANNELS | QC_TAKES_UNEQUAL | QC_TAKES_MISSING };

/* Trees are asked first: they look for names that nothing else has. */
const QcImporter qc_importers[] = {
    {"dsa", "UCI Daily and Sports Activities: a folder of aNN/pN/sNN.txt", QC_TAKES_GROUPS, qc_recognise_dsa, qc_import_dsa},
    {"uschad", "USC-HAD: a folder of SubjectN/aNtN.mat", QC_TAKES_GROUPS | QC_TAKES_CUT, qc_recognise_uschad, qc_import_uschad},
    {"ucihar", "UCI-HAR: a folder of train/ and test/ with Inertial Signals", QC_TAKES_GROUPS, qc_recognise_ucihar, qc_import_ucihar},
    {"wisdm", "WISDM v1.1: WISDM_ar_v1.1_raw.txt, or a folder with it", QC_TAKES_GROUPS | QC_TAKES_CUT | QC_TAKES_MISSING, qc_recognise_wisdm, qc_import_wisdm},
    {"pamap2", "PAMAP2: a folder of Protocol/subjectN.dat", QC_TAKES_GROUPS | QC_TAKES_CUT | QC_TAKES_MISSING, qc_recognise_pamap2, qc_import_pamap2},
    {"images", "pictures in folders: CLASS/NAME.jpg or .png, or GROUP/CLASS/...", QC_TAKES_GROUPS | QC_TAKES_IMAGES, qc_recognise_images, qc_import_images},
    {"ts", "UCR/UEA archive, .ts", QC_TAKES_UNEQUAL | QC_TAKES_MISSING, qc_recognise_ts, qc_import_ts},
    {"npz", "NumPy arrays in a .npz: windows x, labels y", QC_TAKES_GROUPS | QC_TAKES_COLUMNS | QC_TAKES_LABEL | QC_TAKES_CHANNELS | QC_TAKES_ARRAYS, qc_recognise_npz, qc_import_npz},
    {"npy", "a NumPy array of windows; labels in another", QC_TAKES_LABEL | QC_TAKES_CHANNELS | QC_TAKES_ARRAYS, qc_recognise_npy, qc_import_npy},
    {"arff", "Weka, UCR/UEA archive, .arff", QC_TAKES_UNEQUAL | QC_TAKES_MISSING | QC_TAKES_LABEL, qc_recognise_arff, qc_import_arff},
    {"tsv", "UCR archive of 2018: a series a row, the label first", TABLE, qc_recognise_tsv, qc_import_tsv},
    {"csv", "a table with one window a row, or one step a row", TABLE, qc_recognise_csv, qc_import_csv},
    {0},
};

static const QcImporter *importer_named(const char *name, QcErr *err)
{
    char known[256] = "";
    for (const QcImporter *i = qc_importers; i->name; i++) {
        if (!strcmp(i->name, name)) return i;
        if (*known) strcat(known, i[1].name ? ", " : " or ");
        strcat(known, i->name);
    }
    qc_fail(err, QC_EUSAGE, "there is no format '%.40s' (use %s; of models onnx, npz or safetensors)", name, known);
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
    const QcImporter *found = NULL;
    for (const QcImporter *i = qc_importers; i->name && !qc_is_standard(path); i++) {
        if (!i->recognises(path)) continue;
        if (!found) found = i;
        else if (qc_is_folder(path)) { /* of files, what is more special comes first */
            qc_fail(err, QC_EUSAGE, "%.300s may be %s or %s: name it with -f", path, found->name, i->name);
            return NULL;
        }
    }
    if (!found) qc_fail(err, QC_EUSAGE, "the format of %.300s is not certain: name it with -f", qc_input_name(path));
    return found;
}

static const char *complain(const QcImporter *i, const QcImportOptions *o)
{
    unsigned t = i->takes;
    if (o->n_groups && !(t & QC_TAKES_GROUPS)) return "has no groups to pick from";
    if (!(t & QC_TAKES_COLUMNS) && (o->group || o->recording || o->window_id)) return "says itself which values are what: options about columns do not apply";
    if (!(t & QC_TAKES_LABEL) && o->label) return "says itself what the label is: --label-column does not apply";
    if (!(t & QC_TAKES_CHANNELS) && o->channels) return "says itself how many channels there are: --channels does not apply";
    if (!(t & QC_TAKES_HEADER) && o->header >= 0) return "has no header to ask for: --header does not apply";
    if (!(t & QC_TAKES_CUT) && (o->window || o->stride)) return "is cut into windows already: --window and --stride do not apply";
    if (!(t & QC_TAKES_UNEQUAL) && (o->unequal || o->length)) return "has windows of one length: --unequal and --length do not apply";
    if (!(t & QC_TAKES_MISSING) && o->missing) return "has no way to say that a value is missing: --missing does not apply";
    if (!(t & QC_TAKES_IMAGES) && (o->height || o->width || o->resize || o->crop || o->grey)) return "is no format of images: --size, --resize, --crop and --grey do not apply";
    if (!(t & QC_TAKES_ARRAYS) && (o->values || o->channels_last)) return "is no format of arrays: --x, --y and --channels-last do not apply";
    if (o->n_groups && (t & QC_TAKES_HEADER) && !o->group) return "needs a group column when groups are picked";
    if (o->length && !o->unequal) return "is asked for windows of one length: say with --unequal how they get it";
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

int qc_import_wants(const QcImportOptions *o, const char *group)
{
    for (uint32_t k = 0; k < o->n_groups; k++)
        if (!strcmp(o->groups[k], group)) return 1;
    return !o->n_groups;
}

int qc_import_check_groups(const QcImportOptions *o, const QcNames *groups, const char *path, QcErr *err)
{
    for (uint32_t k = 0; k < o->n_groups; k++)
        if (qc_names_find(groups, o->groups[k]) < 0) return qc_fail(err, QC_EUSAGE, "there is no group '%.60s' in %.300s", o->groups[k], path);
    return 0;
}

/* Sorted by number where the names are numbers: strverscmp puts 2 before 10. */
static int compare_labels(const void *a, const void *b) { return strverscmp(*(char *const *)a, *(char *const *)b); }

int qc_import_sort_labels(QcDataset *d, QcErr *err)
{
    uint32_t n = d->labels.n;
    char **old = malloc((n ? n : 1) * sizeof *old);
    int32_t *map = malloc((n ? n : 1) * sizeof *map);
    if (old && map && n) {
        memcpy(old, d->labels.names, n * sizeof *old);
        qsort(d->labels.names, n, sizeof *d->labels.names, compare_labels);
        for (uint32_t k = 0; k < n; k++) map[k] = (int32_t)qc_names_find(&d->labels, old[k]);
        for (uint32_t i = 0; i < d->n; i++) d->label[i] = d->label[i] < 0 ? -1 : map[d->label[i]];
    }
    int status = old && map ? 0 : qc_fail_memory(err, "labels");
    free(old);
    free(map);
    return status;
}
