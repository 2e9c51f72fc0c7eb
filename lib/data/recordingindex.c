#include "recordingindex.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

enum { KEY = 2 * QC_FIELD_NAME + 2 };

/* A number by its value, other text in small letters. Longer text is cut, which no name of a file is. */
static size_t put_plain(char *to, size_t room, QcField field)
{
    double number;
    const char *at = field.at;
    if (!qc_number_read_double(&number, &at, field.end) && at == field.end)
        return (size_t)snprintf(to, room, "%.17g", number);
    size_t n = (size_t)(field.end - field.at);
    if (n >= room) n = room - 1;
    for (size_t k = 0; k < n; k++) to[k] = (char)tolower((unsigned char)field.at[k]);
    to[n] = 0;
    return n;
}

static void make_key(char key[KEY], QcField name, QcField group)
{
    size_t n = name.at ? put_plain(key, QC_FIELD_NAME, name) : 0;
    key[n++] = '\n'; /* in no field */
    key[n] = 0;
    if (group.at) put_plain(key + n, QC_FIELD_NAME, group);
}

static QcField field_of(const char *text, int is_there)
{
    return is_there ? (QcField){text, text + strlen(text)} : (QcField){0};
}

/* The index under this key, which is added as k if it is new; -1: memory is out. */
static int64_t add(QcRecordingIndex *index, QcNameTable *t, QcField name, QcField group, uint32_t k, QcErr *err)
{
    char key[KEY];
    make_key(key, name, group);
    int64_t there = qc_nametable_find(t, key);
    if (there >= 0) return there;
    const char *kept = qc_arena_text(index->arena, key, strlen(key), err);
    return !kept || qc_nametable_add(t, index->arena, kept, k, err) ? -1 : (int64_t)k;
}

int qc_recordingindex_init(QcRecordingIndex *index, const char *const *names, const char *const *groups, uint32_t n,
                           QcArena *arena, QcErr *err)
{
    *index = (QcRecordingIndex){.arena = arena, .has_names = n && **names, .has_groups = n && **groups};
    index->several = qc_arena_take(arena, n, sizeof *index->several, err);
    if (!index->several) return -1;
    for (uint32_t k = 0; k < n; k++) {
        QcField name = field_of(names[k], index->has_names), group = field_of(groups[k], index->has_groups);
        int64_t first = add(index, &index->alone, name, (QcField){0}, k, err), same;
        if (first < 0 || (same = add(index, &index->whole, name, group, k, err)) < 0) return -1;
        if (same < (int64_t)k)
            return qc_fail(err, QC_EFORMAT,
                           "two recordings have names of one meaning: '%.100s%s%.100s', '%.100s%s%.100s'",
                           groups[same], *groups[same] ? "/" : "", names[same], groups[k], *groups[k] ? "/" : "",
                           names[k]);
        if (first < (int64_t)k) index->several[first] = 1;
    }
    return 0;
}

int64_t qc_recordingindex_find(const QcRecordingIndex *index, QcField name, QcField group)
{
    char key[KEY];
    if (!index->has_names) name = (QcField){0};
    if (!index->has_groups) group = (QcField){0};
    make_key(key, name, group);
    int64_t k = qc_nametable_find(group.at ? &index->whole : &index->alone, key);
    return k >= 0 && !group.at && index->several[k] ? -2 : k;
}
