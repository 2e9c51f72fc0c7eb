/* Weights as an archive of NumPy arrays. */
#include <stdlib.h>
#include <string.h>

#include "../data/ndarray.h"
#include "../data/npzwrite.h"
#include "../data/zip.h"
#include "weights.h"

int qc_weights_save_npz(const QcWeights *w, const char *path, QcErr *err)
{
    QcNpz npz = {0};
    int status = 0;
    for (uint32_t i = 0; i < w->n && !status; i++) {
        const QcWeight *entry = &w->list[i];
        float *values = malloc(entry->n * sizeof *values);
        if (!values) status = qc_fail_memory(err, "weights");
        else {
            qc_weight_get(values, entry);
            qc_npz_begin(&npz, entry->name, "<f4", entry->dims, entry->rank);
            qc_put_f32s(&npz.out, values, entry->n);
            qc_npz_end(&npz);
        }
        free(values);
    }
    if (!status) status = qc_npz_save(&npz, path, err);
    qc_npz_release(&npz);
    return status;
}

/* Element i in C order, for any order of the array. */
static float value_at(const QcNdarray *a, uint64_t i)
{
    uint64_t place = 0;
    for (uint32_t k = a->rank; k-- > 0;) {
        place += i % a->shape[k] * a->stride[k];
        i /= a->shape[k];
    }
    return (float)qc_ndarray_real(a, place);
}

static int read_array(const QcWeight *entry, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    QcNdarray a;
    if (qc_ndarray_parse(&a, bytes, length, name, err)) return -1;
    if (qc_ndarray_is_text(&a)) return qc_fail(err, QC_EFORMAT, "%.200s: array '%s' holds text", name, entry->name);
    if (qc_weight_check_shape(entry, a.shape, a.rank, name, err)) return -1;
    float *values = malloc(entry->n * sizeof *values);
    if (!values) return qc_fail_memory(err, "weights");
    for (size_t i = 0; i < entry->n; i++) values[i] = value_at(&a, i);
    int status = qc_weight_take(entry, values, name, err);
    free(values);
    return status;
}

/* The name of a member without its ending. */
static size_t bare(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".npy") ? n - 4 : n;
}

/* NULL: the model has none. *ignored: then it may be there all the same. */
static const QcWeight *weight_of(const QcWeights *w, const char *member, int *ignored)
{
    char name[QC_WEIGHT_NAME] = "";
    size_t n = bare(member);
    if (n < sizeof name) memcpy(name, member, n);
    *ignored = qc_weights_ignores(name);
    return qc_weights_find(w, name);
}

int qc_weights_read_npz(QcWeights *w, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    QcArena arena = {0};
    QcZip zip;
    QcInputView archive; /* not closed: the bytes are the caller's */
    qc_inputview_own(&archive, (uint8_t *)(uintptr_t)bytes, length);
    int status = qc_zip_open(&zip, &archive, name, &arena, err);
    /* of each weight */
    const QcZipMember **members = status ? NULL : qc_arena_take(&arena, w->n, sizeof *members, err);
    if (!members) status = -1;
    for (uint32_t i = 0; !status && i < zip.n; i++) {
        const QcZipMember *member = &zip.members[i];
        int ignored;
        const QcWeight *weight = weight_of(w, member->name, &ignored);
        if (weight && !members[weight - w->list]) members[weight - w->list] = member;
        else if (!weight && !ignored)
            status = qc_fail(err, QC_EFORMAT, "%.200s: the model has no place for array '%.80s'", name, member->name);
    }
    for (uint32_t i = 0; i < w->n && !status; i++) {
        const QcZipMember *member = members[i];
        uint8_t *array = NULL;
        if (!member) status = qc_fail(err, QC_EFORMAT, "%.200s has no array '%s'", name, w->list[i].name);
        else if (!(status = qc_zip_read(&array, &zip, member, err)))
            status = read_array(&w->list[i], array, (size_t)member->length, name, err);
        free(array);
    }
    qc_arena_release(&arena);
    return status;
}
