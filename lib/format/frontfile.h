/* frontfile.h - the front-end that features of sound were made with, as section "frontend" of data and model files, and
 * in words. The tables are not in the file (fronttables.h). */
#ifndef QC_FORMAT_FRONTFILE_H
#define QC_FORMAT_FRONTFILE_H

#include "../device/frontend.h"
#include "container.h"

enum { QC_FRONT_TEXT = 120 };

/* Rate 0: no section. */
int qc_frontfile_put(QcContainer *c, const QcFrontSetup *s, QcErr *err);
/* All zero if there is no section. channels, height: of the file's windows, which must be the features' own. */
int qc_frontfile_get(QcFrontSetup *s, const QcContainer *c, uint32_t channels, uint32_t height, QcErr *err);

/* "logmel:bands=40,frame=200,hop=80 at 8000 Hz" */
void qc_frontfile_text(char text[QC_FRONT_TEXT], const QcFrontSetup *s);
int qc_frontfile_same(const QcFrontSetup *a, const QcFrontSetup *b);

#endif
