/* Folders of pictures: DIR/CLASS/NAME.jpg (.png, .webp, .bmp, .ppm, ...), or DIR/GROUP/CLASS/NAME.jpg, all scaled to
 * one size; values are 0 to 255, channels red, green and blue.
 *
 * The group is DIR itself in the first form, so that two domains of a set can be told apart when they are joined. Ids
 * are of the picture's bytes and names, so that a picture keeps its id whatever folder it is imported through. All
 * pictures of a group are one recording.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/digest.h"
#include "../base/plural.h"
#include "import.h"
#include "jobs.h"
#include "namepattern.h"
#include "pixmap.h"
#include "tree.h"

enum { SIZE = 64 };

typedef struct Picture {
    const char *path, *group, *class, *name;
} Picture;

typedef struct Album {
    const QcImportOptions *o;
    QcArena arena;
    Picture *pictures;
    uint32_t n, room;
    QcNames groups; /* all that are there */
    uint32_t foreign, others; /* pictures that cannot be read, and files that are none */
    const char *first_foreign, *first_other;
    uint8_t *bad; /* [n] with --skip-bad: the picture is damaged; malloc'd */
    QcErr *failures; /* [n] why */
    QcDataset *d;
} Album;

static int has_ending(const QcEntry *e, const char *const *endings)
{
    const char *dot = strrchr(e->name, '.');
    for (; dot && !e->is_folder && *endings; endings++)
        if (!strcasecmp(dot, *endings)) return 1;
    return 0;
}

static int is_picture(const QcEntry *e)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp",
                                          ".dib", ".ppm",  ".pgm", ".pbm",  ".pnm", NULL};
    return has_ending(e, endings);
}

/* A picture format that cannot be read must be reported. */
static int is_foreign_picture(const QcEntry *e)
{
    static const char *const endings[] = {".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl",
                                          ".svg", ".ico", ".tga",  ".pcx",  ".psd",  ".pam",  ".pfm", ".exr", ".hdr",
                                          ".raw", ".dng", ".cr2",  ".nef",  ".arw",  ".xcf",  NULL};
    return has_ending(e, endings);
}

static int add_picture(Album *a, const Picture *picture, QcErr *err)
{
    if (a->n == a->room) {
        a->room = a->room ? a->room * 2 : 256;
        Picture *larger = realloc(a->pictures, a->room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        a->pictures = larger;
    }
    a->pictures[a->n++] = *picture;
    return 0;
}

/* 1 if one of the folders in `folder` has pictures in it. */
static int holds_classes(Album *a, const QcFolder *folder, int *found, QcErr *err)
{
    *found = 0;
    for (uint32_t k = 0; !*found && k < folder->n; k++) {
        QcFolder below;
        if (!folder->entries[k].is_folder) continue;
        if (qc_folder_read(&below, folder->entries[k].path, &a->arena, err)) return -1;
        for (uint32_t i = 0; !*found && i < below.n; i++)
            *found = is_picture(&below.entries[i]) || is_foreign_picture(&below.entries[i]);
    }
    return 0;
}

static int add_class(Album *a, const char *group, const QcEntry *class, QcErr *err)
{
    QcFolder folder;
    if (qc_folder_read(&folder, class->path, &a->arena, err)) return -1;
    for (uint32_t k = 0; k < folder.n; k++) {
        const QcEntry *e = &folder.entries[k];
        if (is_foreign_picture(e) && !a->foreign++) a->first_foreign = e->path;
        if (!e->is_folder && !is_picture(e) && !is_foreign_picture(e) && !a->others++) a->first_other = e->path;
        if (is_picture(e) && add_picture(a, &(Picture){e->path, group, class->name, e->name}, err)) return -1;
    }
    int deeper;
    if (holds_classes(a, &folder, &deeper, err)) return -1;
    return deeper ? qc_fail(err, QC_EFORMAT,
                            "%.300s has pictures and folders of pictures beside each other or below: which folders are "
                            "the classes is not certain",
                            class->path)
                  : 0;
}

/* Adds the classes of a group; of an unwanted group only the name. */
static int add_group(Album *a, const char *name, const char *path, QcErr *err)
{
    QcFolder folder;
    uint32_t index;
    if (qc_names_add(&a->groups, &a->arena, name, &index, err)) return -1;
    if (!qc_import_wants(a->o, name)) return 0;
    if (qc_folder_read(&folder, path, &a->arena, err)) return -1;
    for (uint32_t k = 0; k < folder.n; k++)
        if (folder.entries[k].is_folder && add_class(a, a->groups.names[index], &folder.entries[k], err)) return -1;
    return 0;
}

/* All pictures below a folder, whose names say class and group. */
static int walk_by_names(Album *a, const char *path, size_t root, int depth, QcErr *err)
{
    QcFolder folder;
    if (depth > 16) return qc_fail(err, QC_EFORMAT, "%.300s: folders within folders, more than 16 deep", path);
    if (qc_folder_read(&folder, path, &a->arena, err)) return -1;
    for (uint32_t k = 0; k < folder.n; k++) {
        const QcEntry *e = &folder.entries[k];
        QcNameParts parts;
        if (e->is_folder) {
            if (walk_by_names(a, e->path, root, depth + 1, err)) return -1;
            continue;
        }
        int ways = qc_namepattern_match(&parts, a->o->name_pattern, e->path + root + 1);
        if (ways > 1)
            return qc_fail(err, QC_EFORMAT,
                           "%.300s fits the name pattern in more than one way: {label:d} is a field of digits alone",
                           e->path);
        if (ways && is_foreign_picture(e) && !a->foreign++) a->first_foreign = e->path;
        if ((!ways || !is_picture(e)) && !is_foreign_picture(e) && !a->others++) a->first_other = e->path;
        if (!ways || !is_picture(e)) continue;
        const char *label = parts.text[QC_PART_LABEL], *group = parts.text[QC_PART_GROUP];
        uint32_t index;
        if (!*group) group = "all";
        label = qc_arena_text(&a->arena, label, strlen(label), err);
        if (!label || qc_names_add(&a->groups, &a->arena, group, &index, err)) return -1;
        if (!qc_import_wants(a->o, group)) continue;
        if (add_picture(a, &(Picture){e->path, a->groups.names[index], label, e->path + root + 1}, err)) return -1;
    }
    return 0;
}

static int check_pattern(const char *pattern, QcErr *err)
{
    if (qc_namepattern_check(pattern, err)) return -1;
    if (!qc_namepattern_has(pattern, QC_PART_LABEL))
        return qc_fail(err, QC_EUSAGE, "--name-pattern: pictures need a {label}");
    return 0;
}

/* CLASS/NAME, or GROUP/CLASS/NAME. */
static int find_by_folders(Album *a, const char *path, QcErr *err)
{
    QcFolder folder;
    char own[QC_PATH_ROOM];
    int classes;
    if (qc_need_folder(path, "a tree of images", err) || qc_folder_read(&folder, path, &a->arena, err) ||
        qc_path_name(own, path, err) || holds_classes(a, &folder, &classes, err))
        return -1;
    if (classes && add_group(a, own, path, err)) return -1;
    for (uint32_t k = 0; !classes && k < folder.n; k++)
        if (folder.entries[k].is_folder && add_group(a, folder.entries[k].name, folder.entries[k].path, err)) return -1;
    return 0;
}

static int find_pictures(Album *a, const char *path, QcErr *err)
{
    int by_names = a->o->name_pattern != NULL;
    if (by_names && (check_pattern(a->o->name_pattern, err) || qc_need_folder(path, "a tree of images", err) ||
                     walk_by_names(a, path, strlen(path), 0, err)))
        return -1;
    if (!by_names && find_by_folders(a, path, err)) return -1;
    if (qc_import_check_groups(a->o, &a->groups, path, err)) return -1;
    if (a->foreign && !a->o->skip_bad)
        return qc_fail(err, QC_EFORMAT,
                       "%u picture%s a format that cannot be read (the first: %.250s): convert to PNG, or leave them "
                       "out with --skip-bad",
                       a->foreign, a->foreign == 1 ? " has" : "s have", a->first_foreign);
    return a->n ? 0
                : qc_fail(err, QC_EFORMAT,
                          "%.300s has no pictures in it: folders CLASS/NAME.jpg (or .png), or GROUP/CLASS/NAME.jpg, "
                          "are expected",
                          path);
}

static int qc_recognise_images(const char *path)
{
    Album a = {.o = &qc_import_defaults};
    QcErr err;
    int found = qc_is_folder(path) && (!find_pictures(&a, path, &err) || a.foreign);
    free(a.pictures);
    qc_arena_release(&a.arena);
    return found;
}

/* 52 bits, exact in a JSON number. */
static uint64_t picture_id(const Picture *p, const uint8_t *bytes, size_t length)
{
    uint8_t digest[QC_DIGEST_BYTES], both[QC_DIGEST_BYTES];
    char names[3 * QC_PATH_ROOM];
    int n = snprintf(names + QC_DIGEST_BYTES, sizeof names - QC_DIGEST_BYTES, "%.4095s/%.4000s/%.4000s", p->group,
                     p->class, p->name);
    qc_digest(digest, bytes, length);
    memcpy(names, digest, sizeof digest);
    qc_digest(both, names, QC_DIGEST_BYTES + (size_t)n);
    uint64_t id = both[0] & 0x0f;
    for (int k = 1; k < 7; k++) id = id << 8 | both[k];
    return id;
}

static int read_picture_whole(void *ctx, uint32_t i, QcErr *err)
{
    Album *a = ctx;
    const Picture *p = &a->pictures[i];
    QcPixmap pixmap = {0};
    uint8_t *bytes = NULL;
    size_t length;
    int status = qc_read_all(p->path, &bytes, &length, err);
    if (!status) {
        a->d->id[i] = picture_id(p, bytes, length);
        status = qc_pixmap_decode(&pixmap, bytes, length, p->path, err);
    }
    if (!status)
        status = qc_pixmap_scale(a->d->x + i * qc_dataset_values(a->d), a->d->height, a->d->length, &pixmap,
                                 a->o->resize, a->o->crop, a->o->grey, err);
    qc_pixmap_release(&pixmap);
    free(bytes);
    return status;
}

/* A damaged picture is noted where it may be left out. */
static int read_picture(void *ctx, uint32_t i, QcErr *err)
{
    Album *a = ctx;
    if (!a->bad) return read_picture_whole(ctx, i, err);
    a->bad[i] = (uint8_t)(read_picture_whole(ctx, i, &a->failures[i]) != 0);
    if (!a->bad[i] || a->failures[i].code == QC_EFORMAT) return 0;
    if (err) *err = a->failures[i];
    return -1;
}

static int leave_out_bad(Album *a, QcErr *err)
{
    QcDataset *d = a->d, kept;
    uint32_t *index = malloc((d->n ? d->n : 1) * sizeof *index), n = 0, first = UINT32_MAX;
    if (!index) return qc_fail_memory(err, "pictures");
    for (uint32_t i = 0; i < d->n; i++)
        if (!a->bad[i]) index[n++] = i;
        else if (first == UINT32_MAX) first = i;
    int status = 0;
    if (!n)
        status = qc_fail(err, QC_EFORMAT, "all %u pictures are damaged; the first: %.300s", d->n,
                         a->failures[first].text);
    else if (n < d->n) status = qc_dataset_subset(&kept, d, index, n, 0, err);
    free(index);
    if (status || n == d->n) return status;
    qc_import_warn(a->o, "%u of %u pictures are damaged and were left out; the first: %.300s", d->n - n, d->n,
                   a->failures[first].text);
    qc_dataset_release(d);
    *d = kept;
    return 0;
}

static void report(const Album *a)
{
    if (a->foreign)
        qc_import_warn(a->o, "%u picture%s left out: the format cannot be read (the first: %.300s)", a->foreign,
                       a->foreign == 1 ? " is" : "s are", a->first_foreign);
    if (a->others)
        qc_import_note(a->o, "%u file%s no picture%s (the first: %.300s)", a->others, a->others == 1 ? " is" : "s are",
                       qc_plural(a->others, "s"), a->first_other);
}

static int describe(Album *a, QcErr *err)
{
    QcDataset *d = a->d;
    for (uint32_t i = 0; i < a->n; i++) {
        const Picture *p = &a->pictures[i];
        uint32_t label;
        if (qc_names_add(&d->labels, &d->arena, p->class, &label, err) ||
            qc_names_add(&d->groups, &d->arena, p->group, &d->group[i], err) ||
            qc_names_add(&d->recordings, &d->arena, p->group, &d->recording[i], err))
            return -1;
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

static int qc_import_images(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Album a = {.o = o, .d = d};
    QcJobs jobs = {
        .threads = o->jobs, .work = read_picture, .ctx = &a, .progress = o->progress, .progress_ctx = o->ctx};
    uint32_t height = o->height ? o->height : SIZE, width = o->width ? o->width : SIZE;
    int status = find_pictures(&a, path, err);
    if (!status && o->skip_bad) {
        a.bad = calloc(a.n, 1);
        a.failures = calloc(a.n, sizeof *a.failures);
        if (!a.bad || !a.failures) status = qc_fail_memory(err, "pictures");
    }
    if (!status)
        status = qc_dataset_init(d, a.n, o->grey ? 1 : 3, height, width, 0, err) || describe(&a, err) ||
                         qc_jobs_run(&jobs, a.n, err)
                     ? -1
                     : 0;
    if (!status && a.bad) status = leave_out_bad(&a, err);
    if (!status) report(&a);
    free(a.bad);
    free(a.failures);
    free(a.pictures);
    qc_arena_release(&a.arena);
    return status;
}

static const QcImportRow *const rows[] = {&qc_row_size,         &qc_row_resize,   &qc_row_crop, &qc_row_grey,
                                          &qc_row_name_pattern, &qc_row_skip_bad, NULL};

const QcImporter qc_importer_images = {"images",
                                       "pictures (JPEG, PNG, WebP, BMP, PNM) in folders CLASS or GROUP/CLASS",
                                       rows,
                                       qc_recognise_images,
                                       qc_import_images,
                                       NULL,
                                       0};
