/* targetfile.h - inside lib/export: the table of known targets (targettable.c) and the names of coefficients. */
#ifndef QC_EXPORT_TARGETFILE_H
#define QC_EXPORT_TARGETFILE_H

#include "target.h"

enum { QC_TARGETS = 5 };
extern const QcTarget qc_targets[QC_TARGETS];
extern const char *const qc_target_keys[QC_TARGET_COUNT];

#endif
