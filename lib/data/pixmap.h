/* pixmap.h - pictures: decoded from JPEG, PNG, WebP, BMP and PNM to red, green and blue, cut and scaled to one size.
 *
 * Decoders refuse what is damaged or cut off (libjpeg alone would go on with grey), and pictures that inflate beyond
 * the bounds of inflate.h, before memory is taken for them. Transparent parts are shown on white; 16 bits become 8. The
 * orientation in EXIF is ignored.
 */
#ifndef QC_DATA_PIXMAP_H
#define QC_DATA_PIXMAP_H

#include <stddef.h>
#include <stdint.h>

#include "import.h"

enum { QC_SIDE_MAX = 32768 };

typedef struct QcPixmap {
    uint32_t width, height;
    uint8_t *at; /* [height][width][3], malloc'd */
} QcPixmap;

/* By what the bytes begin with. `name` begins the sentence of a failure. */
int qc_pixmap_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_jpeg_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_png_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_webp_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_bmp_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_pnm_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
/* rgba[height][width][4] on white. */
void qc_pixmap_lay_on_white(QcPixmap *p, const uint8_t *rgba);
void qc_pixmap_release(QcPixmap *p);

/* Takes the memory for a picture of this size out of `length` bytes of a file, or says why not. */
int qc_pixmap_init(QcPixmap *p, uint32_t width, uint32_t height, size_t length, const char *name, QcErr *err);

/* out[3][height][width], or [1][height][width] where grey (0.299 red + 0.587 green + 0.114 blue), values 0 to 255.
 * area: the mean over what a pixel covers; bilinear: between the four nearest, centres at halves. Where a side grows
 * both are bilinear. crop: only the largest part in the middle that has the shape of the output. */
int qc_pixmap_scale(float *out, uint32_t height, uint32_t width, const QcPixmap *p, QcResize how, int crop, int grey,
                    QcErr *err);

#endif
