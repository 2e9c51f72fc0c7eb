/* All files of a folder: each is read by the importer alone, and its name says what the file itself does not
 * (namepattern.h).
 *
 * Files come in the order of their names, numbers by value. Every file is a recording of its own, or several where its
 * rows name recordings: windows never cross files. Ids: 21 bits of the file's content and name, so that a file has the
 * same ids whatever is imported beside it, and its rows; of two files that agree in these bits the second takes the
 * next that are free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "../base/plural.h"
#include "import.h"
#include "namepattern.h"
#include "series.h"
#include "tree.h"

enum { DEPTH_MAX = 16, SLOTS = 1 << 21, SLOT_SHIFT = 32, WARNINGS = 8 };

typedef struct File {
    const char *path, *name; /* name: from the folder on */
    QcNameParts parts;
} File;

typedef struct Files {
    const QcImportOptions *o;
    const QcImporter *importer;
    QcArena arena;
    File *items;
    uint32_t n, room, others, skipped; /* others: files that are not of this kind */
    const char *first_other;
    QcErr first_skipped;
    uint8_t *slots; /* [SLOTS] taken */
    QcSeriesList list; /* gather */
    QcDataset *sets; /* import: [n_sets] */
    uint32_t n_sets;
    const char *reading, *warning[WARNINGS]; /* the path; warnings so far, without the path of their file */
    uint32_t done, n_warnings, more_warnings;
} Files;

/* --- which files ---------------------------------------------------------------------------------------- */

static int add_file(Files *f, const File *file, QcErr *err)
{
    if (f->n == f->room) {
        uint32_t room = f->room ? f->room * 2 : 256;
        File *larger = realloc(f->items, room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        f->items = larger;
        f->room = room;
    }
    f->items[f->n++] = *file;
    return 0;
}

static int look_at(Files *f, const QcEntry *e, size_t root, QcErr *err)
{
    File file = {.path = e->path, .name = e->path + root + 1};
    const char *pattern = f->o->name_pattern;
    int ways = pattern ? qc_namepattern_match(&file.parts, pattern, file.name) : f->importer->recognises(e->path);
    if (ways > 1)
        return qc_fail(err, QC_EFORMAT,
                       "%.300s fits the name pattern in more than one way: {label:d} is a field of digits alone",
                       e->path);
    if (ways) return add_file(f, &file, err);
    if (!f->others++) f->first_other = file.name;
    return 0;
}

static int walk(Files *f, const char *path, size_t root, int depth, QcErr *err)
{
    QcFolder folder;
    if (depth > DEPTH_MAX)
        return qc_fail(err, QC_EFORMAT, "%.300s: folders within folders, more than %d deep", path, DEPTH_MAX);
    if (qc_folder_read(&folder, path, &f->arena, err)) return -1;
    for (uint32_t k = 0; k < folder.n; k++) {
        const QcEntry *e = &folder.entries[k];
        if (e->is_folder ? walk(f, e->path, root, depth + 1, err) : look_at(f, e, root, err)) return -1;
    }
    return 0;
}

static int find_files(Files *f, const char *folder, QcErr *err)
{
    size_t root = strlen(folder);
    const char *pattern = f->o->name_pattern;
    if (pattern && qc_namepattern_check(pattern, err)) return -1;
    if (pattern && qc_namepattern_has(pattern, QC_PART_CHANNELS) && strcmp(f->importer->name, "segments"))
        return qc_fail(err, QC_EUSAGE, "--name-pattern: {channels} is for -f segments alone");
    if (pattern && qc_namepattern_has(pattern, QC_PART_LABEL) && f->o->label && strcmp(f->o->label, "none"))
        return qc_fail(err, QC_EUSAGE,
                       "the label comes from the names of the files (--name-pattern) or from within them, not both");
    if (walk(f, folder, root, 0, err)) return -1;
    if (f->n) return 0;
    return qc_fail(err, QC_EFORMAT, "%.300s has no file %s%.100s%s%.100s", folder,
                   pattern ? "that fits the name pattern " : "that looks like ", pattern ? pattern : f->importer->name,
                   f->others ? ": the first is " : "", f->others ? f->first_other : "");
}

/* --- what a name says -------------------------------------------------------------------------------------- */

/* "GROUP/RECORDING", or the file name without its suffix; the recording names within the file follow. */
static void name_recording(char out[3 * QC_PART_ROOM], const File *file, const char *own)
{
    const char *recording = file->parts.text[QC_PART_RECORDING], *group = file->parts.text[QC_PART_GROUP],
               *dot = strrchr(file->name, '.');
    int n = dot && !strchr(dot, '/') ? (int)(dot - file->name) : (int)strlen(file->name);
    if (*recording) snprintf(out, 3 * QC_PART_ROOM, "%s%s%s", group, *group ? "/" : "", recording);
    else snprintf(out, 3 * QC_PART_ROOM, "%.*s", n > 255 ? 255 : n, file->name);
    size_t used = strlen(out);
    if (own) snprintf(out + used, 3 * QC_PART_ROOM - used, "/%.200s", own);
}

/* 21 bits that no other file has. */
static uint64_t take_slot(Files *f, uint64_t id, const char *name)
{
    uint8_t digest[QC_DIGEST_BYTES];
    qc_digest(digest, name, strlen(name));
    uint32_t slot = (uint32_t)(id >> SLOT_SHIFT) ^ ((uint32_t)digest[0] << 16 | (uint32_t)digest[1] << 8 | digest[2]);
    slot %= SLOTS;
    while (f->slots[slot]) slot = (slot + 1) % SLOTS;
    f->slots[slot] = 1;
    return (uint64_t)slot << SLOT_SHIFT;
}

/* A file of a set where some files name their groups and others do not. */
static int fail_group(const File *file, QcErr *err)
{
    return qc_fail(err, QC_EFORMAT, "%.300s names no group, but other files do", file->path);
}

static int describe_series(Files *f, const File *file, uint32_t from, const QcNames *groups, const QcNames *recordings,
                           QcErr *err)
{
    QcSeriesList *l = &f->list;
    char recording[3 * QC_PART_ROOM];
    const char *label_name = file->parts.text[QC_PART_LABEL], *group_name = file->parts.text[QC_PART_GROUP];
    uint64_t slot = from < l->n ? take_slot(f, l->items[from].id, file->name) : 0;
    for (uint32_t k = from; k < l->n; k++) {
        QcSeries *s = &l->items[k];
        uint32_t label;
        if (*label_name) {
            if (qc_names_add(&l->labels, &l->arena, label_name, &label, err)) return -1;
            s->label = (int32_t)label;
            s->labels = NULL;
        }
        const char *group = *group_name ? group_name : groups->n ? groups->names[s->group] : NULL;
        if (!group && l->groups.n) return fail_group(file, err);
        if (group && qc_names_add(&l->groups, &l->arena, group, &s->group, err)) return -1;
        name_recording(recording, file, recordings->n ? recordings->names[s->recording] : NULL);
        if (qc_names_add(&l->recordings, &l->arena, recording, &s->recording, err)) return -1;
        s->id = slot | (s->id & UINT32_MAX);
    }
    return 0;
}

static int describe_set(QcDataset *d, const File *file, QcErr *err)
{
    char recording[3 * QC_PART_ROOM];
    const char *label = file->parts.text[QC_PART_LABEL], *group = file->parts.text[QC_PART_GROUP];
    QcNames none = {0}, recordings = d->recordings;
    if (*label) d->labels = none;
    if (*group) d->groups = none;
    d->recordings = none;
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t k = 0;
        name_recording(recording, file, recordings.n ? recordings.names[d->recording[i]] : NULL);
        if (*label && qc_names_add(&d->labels, &d->arena, label, &k, err)) return -1;
        if (*label) d->label[i] = (int32_t)k;
        if (*group && qc_names_add(&d->groups, &d->arena, group, &d->group[i], err)) return -1;
        if (qc_names_add(&d->recordings, &d->arena, recording, &d->recording[i], err)) return -1;
    }
    return 0;
}

/* --- reading --------------------------------------------------------------------------------------------------- */

static int gather_file(Files *f, const File *file, const QcImportOptions *o, QcErr *err)
{
    QcSeriesList *l = &f->list;
    const QcNames groups = l->groups, recordings = l->recordings, none = {0};
    uint32_t from = l->n;
    l->groups = l->recordings = none;
    int status = f->importer->gather(l, file->path, o, err);
    const QcNames own_groups = l->groups, own_recordings = l->recordings;
    l->groups = groups;
    l->recordings = recordings;
    if (status) l->n = from;
    return status || describe_series(f, file, from, &own_groups, &own_recordings, err) ? -1 : 0;
}

static int import_set(Files *f, const File *file, const QcImportOptions *o, QcErr *err)
{
    QcDataset *d = &f->sets[f->n_sets];
    int status = f->importer->import(d, file->path, o, err) || describe_set(d, file, err) ? -1 : 0;
    const QcDataset *first = &f->sets[0];
    if (!status && f->n_sets &&
        (d->channels != first->channels || d->height != first->height || d->length != first->length))
        status = qc_fail(err, QC_EFORMAT, "%.200s has examples of %u x %u x %u, those before it of %u x %u x %u",
                         file->path, d->channels, d->height, d->length, first->channels, first->height, first->length);
    if (status) qc_dataset_release(d);
    else f->n_sets++;
    return status;
}

/* The group of a file that is not wanted is noted, and the file left alone. */
static int is_wanted(Files *f, const File *file)
{
    const char *group = file->parts.text[QC_PART_GROUP];
    return !*group || qc_import_wants(f->o, group);
}

/* What was concluded of one file holds of all, so notes are of the first. A warning that an earlier file had is not
 * said again. */
static void hear(void *ctx, int warning, const char *sentence)
{
    Files *f = ctx;
    size_t path = strlen(f->reading);
    const char *words = sentence + (strncmp(sentence, f->reading, path) ? 0 : path);
    if (!f->o->note || (f->done && !warning)) return;
    for (uint32_t k = 0; warning && k < f->n_warnings; k++)
        if (!strcmp(f->warning[k], words)) return;
    if (f->done && f->n_warnings == WARNINGS) {
        f->more_warnings++;
        return;
    }
    if (warning && f->n_warnings < WARNINGS &&
        (f->warning[f->n_warnings] = qc_arena_text(&f->arena, words, strlen(words), NULL)))
        f->n_warnings++;
    f->o->note(f->o->ctx, warning, sentence);
}

static int read_files(Files *f, QcErr *err)
{
    QcImportOptions o = *f->o;
    if (o.name_pattern && qc_namepattern_has(o.name_pattern, QC_PART_LABEL)) o.label = "none";
    if (o.name_pattern && qc_namepattern_has(o.name_pattern, QC_PART_GROUP)) o.groups = NULL, o.n_groups = 0;
    o.progress = NULL;
    o.note = hear;
    o.ctx = f;
    for (uint32_t k = 0; k < f->n; k++) {
        QcErr failure = {0};
        const File *file = &f->items[k];
        f->reading = file->path;
        int status = !is_wanted(f, file)   ? 0
                     : f->importer->gather ? gather_file(f, file, &o, &failure)
                                           : import_set(f, file, &o, &failure);
        if (status && !(o.skip_bad && (failure.code == QC_EFORMAT || failure.code == QC_EUSAGE))) {
            if (err) *err = failure;
            return -1;
        }
        if (status && !f->skipped++) f->first_skipped = failure;
        f->done += !status;
        if (f->o->progress) f->o->progress(f->o->ctx, k + 1, f->n);
    }
    return 0;
}

static int check_wanted(const Files *f, const char *folder, QcErr *err)
{
    const QcImportOptions *o = f->o;
    if (!o->name_pattern || !qc_namepattern_has(o->name_pattern, QC_PART_GROUP)) return 0;
    for (uint32_t k = 0; k < o->n_groups; k++) {
        uint32_t i = 0;
        while (i < f->n && strcmp(f->items[i].parts.text[QC_PART_GROUP], o->groups[k])) i++;
        if (i == f->n) return qc_fail(err, QC_EUSAGE, "there is no group '%.60s' in %.300s", o->groups[k], folder);
    }
    return 0;
}

static int join(QcDataset *d, Files *f, QcErr *err)
{
    if (f->importer->gather) return qc_import_finish(d, &f->list, f->o, err);
    const QcDataset **parts = malloc((f->n_sets ? f->n_sets : 1) * sizeof *parts);
    if (!parts) return qc_fail_memory(err, "a list of files");
    for (uint32_t k = 0; k < f->n_sets; k++) parts[k] = &f->sets[k];
    int status = qc_dataset_join(d, parts, f->n_sets, err);
    free(parts);
    return status || qc_import_sort_labels(d, err) ? -1 : 0;
}

int qc_import_files(QcDataset *d, const QcImporter *i, const char *folder, const QcImportOptions *o, QcErr *err)
{
    Files f = {.o = o, .importer = i};
    int status = find_files(&f, folder, err) || check_wanted(&f, folder, err) ? -1 : 0;
    if (!status) {
        f.slots = calloc(SLOTS, 1);
        f.sets = calloc(f.n, sizeof *f.sets);
        if (!f.slots || !f.sets) status = qc_fail_memory(err, "a list of files");
    }
    if (!status) status = read_files(&f, err);
    if (!status && f.skipped == f.n)
        status = qc_fail(err, QC_EFORMAT, "all %u files are damaged; the first: %.300s", f.n, f.first_skipped.text);
    if (!status && f.others)
        qc_import_note(o, "%u other file%s not read (the first: %.200s)", f.others, f.others == 1 ? " was" : "s were",
                       f.first_other);
    if (!status && f.more_warnings)
        qc_import_warn(o, "%u more warning%s of these files", f.more_warnings, qc_plural(f.more_warnings, "s"));
    if (!status && f.skipped)
        qc_import_warn(o, "%u of %u files are damaged and were left out; the first: %.300s", f.skipped, f.n,
                       f.first_skipped.text);
    if (!status) status = join(d, &f, err);
    if (!status && !d->labels.n && !o->name_pattern && !o->label)
        qc_import_note(o, "no window has a label: --name-pattern finds labels in the names of files, such as %.200s",
                       f.items[0].name);
    for (uint32_t k = 0; f.sets && k < f.n_sets; k++) qc_dataset_release(&f.sets[k]);
    free(f.sets);
    free(f.slots);
    free(f.items);
    qc_series_release(&f.list);
    qc_arena_release(&f.arena);
    return status;
}
