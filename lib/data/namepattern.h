/* namepattern.h - what the names of a folder's files say: "{label}_{group}_{recording}.csv".
 *
 * A pattern is matched with as many of the last parts of a path as it has itself
 * ("{group}/{recording}/classe_{label}.dat": three). Fields: {label}, {group}, {recording}, {channels} (files that
 * agree in the rest hold the channels of one recording), {} (anything). A field takes at least one letter, and none is
 * a slash. {label%7}: the remainder of a number. {label:d}: digits alone. A field that comes twice is joined with '/'.
 */
#ifndef QC_DATA_NAMEPATTERN_H
#define QC_DATA_NAMEPATTERN_H

#include <stdint.h>

#include "../base/err.h"

enum { QC_PART_LABEL, QC_PART_GROUP, QC_PART_RECORDING, QC_PART_CHANNELS, QC_PARTS, QC_PART_ROOM = 256 };

typedef struct QcNameParts {
    char text[QC_PARTS][QC_PART_ROOM]; /* "" = the pattern has no such field */
} QcNameParts;

/* QC_EUSAGE: the pattern has an unknown field, or braces that do not close. */
int qc_namepattern_check(const char *pattern, QcErr *err);
int qc_namepattern_has(const char *pattern, int part);
/* The number of ways in which the path fits: 0 none, 1, or 2 for more, which differ in a field. */
int qc_namepattern_match(QcNameParts *parts, const char *pattern, const char *path);

#endif
