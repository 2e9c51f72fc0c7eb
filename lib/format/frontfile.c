#include "frontfile.h"

#include <inttypes.h>
#include <stdio.h>

#include "fronttables.h"

int qc_frontfile_put(QcContainer *c, const QcFrontSetup *s, QcErr *err)
{
    QcWriter w = {0};
    if (!s->rate) return 0;
    const uint32_t numbers[] = {s->rate, s->frame, s->hop, s->bands, s->coefficients};
    qc_put_u32s(&w, numbers, 5);
    return qc_container_add(c, "frontend", 0, &w, err);
}

int qc_frontfile_get(QcFrontSetup *s, const QcContainer *c, uint32_t channels, uint32_t height, QcErr *err)
{
    QcCursor cursor;
    *s = (QcFrontSetup){0};
    if (!qc_container_find(c, "frontend", &cursor)) return 0;
    s->rate = qc_get_u32(&cursor);
    s->frame = qc_get_u32(&cursor);
    s->hop = qc_get_u32(&cursor);
    s->bands = qc_get_u32(&cursor);
    s->coefficients = qc_get_u32(&cursor);
    if (qc_cursor_end(&cursor, "section 'frontend'", err)) return -1;
    if (qc_fronttables_check(s, err)) {
        if (err) err->code = QC_EFORMAT;
        return qc_within(err, "section 'frontend'");
    }
    if (qc_front_features(s) == channels && height == 1) return 0;
    return qc_fail(err, QC_EFORMAT, "section 'frontend' has %" PRIu32 " features, but windows have %" PRIu32
                   " channels x %" PRIu32, qc_front_features(s), channels, height);
}

void qc_frontfile_text(char text[QC_FRONT_TEXT], const QcFrontSetup *s)
{
    char first[40] = "logmel:";
    if (s->coefficients) snprintf(first, sizeof first, "mfcc:coefficients=%" PRIu32 ",", s->coefficients);
    snprintf(text, QC_FRONT_TEXT, "%sbands=%" PRIu32 ",frame=%" PRIu32 ",hop=%" PRIu32 " at %" PRIu32 " Hz", first,
             s->bands, s->frame, s->hop, s->rate);
}

int qc_frontfile_same(const QcFrontSetup *a, const QcFrontSetup *b)
{
    return a->rate == b->rate && a->frame == b->frame && a->hop == b->hop && a->bands == b->bands &&
           a->coefficients == b->coefficients;
}
