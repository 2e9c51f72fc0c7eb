/* WebP through libwebp. Transparent parts are shown on white. */
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>

#include "pixmap.h"

int qc_webp_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    WebPBitstreamFeatures about;
    *p = (QcPixmap){0};
    if (WebPGetFeatures(bytes, length, &about) != VP8_STATUS_OK || about.width < 1 || about.height < 1)
        return qc_fail(err, QC_EFORMAT, "%.300s is a damaged WebP", name);
    if (about.has_animation)
        return qc_fail(err, QC_EFORMAT, "%.300s is an animated WebP: save its frames as PNG", name);
    if (qc_pixmap_init(p, (uint32_t)about.width, (uint32_t)about.height, length, name, err)) return -1;
    size_t n = (size_t)p->width * p->height;
    uint8_t *rgba = malloc(n * 4);
    int status = !rgba ? qc_fail_memory(err, name) : 0;
    if (!status && !WebPDecodeRGBAInto(bytes, length, rgba, n * 4, about.width * 4))
        status = qc_fail(err, QC_EFORMAT, "%.300s is a damaged WebP", name);
    if (!status) qc_pixmap_lay_on_white(p, rgba);
    free(rgba);
    if (status) qc_pixmap_release(p);
    return status;
}
