/* recordingindex.h - which recording is meant by its name, or by its name and its group, as another file has them: "01"
 * is 1, and letters may be of either case. Names are looked up in constant time.
 */
#ifndef QC_DATA_RECORDINGINDEX_H
#define QC_DATA_RECORDINGINDEX_H

#include "../base/nametable.h"
#include "lines.h"

typedef struct QcRecordingIndex {
    QcArena *arena;
    QcNameTable alone, whole; /* by name; by name and group */
    int has_names, has_groups;
    uint8_t *several; /* [n] 1: others have the same name */
} QcRecordingIndex;

/* names, groups [n]: borrowed for the call; "" in all places: recordings have none. QC_EFORMAT: two recordings would be
 * one. */
int qc_recordingindex_init(QcRecordingIndex *index, const char *const *names, const char *const *groups, uint32_t n,
                           QcArena *arena, QcErr *err);
/* The index of a recording; -1: none; -2: several recordings have this name, and no group is given. Fields without
 * text (at = NULL) say nothing. */
int64_t qc_recordingindex_find(const QcRecordingIndex *index, QcField name, QcField group);

#endif
