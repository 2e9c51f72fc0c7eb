#include "pixmap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inflate.h"

int qc_pixmap_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    *p = (QcPixmap){0};
    if (length >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3)) return qc_jpeg_decode(p, bytes, length, name, err);
    if (length >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8)) return qc_png_decode(p, bytes, length, name, err);
    if (length >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
        return qc_webp_decode(p, bytes, length, name, err);
    if (length >= 2 && !memcmp(bytes, "BM", 2)) return qc_bmp_decode(p, bytes, length, name, err);
    if (length >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
        return qc_pnm_decode(p, bytes, length, name, err);
    return qc_fail(err, QC_EFORMAT, "%.300s is not a JPEG, PNG, WebP, BMP or PNM picture", name);
}

void qc_pixmap_lay_on_white(QcPixmap *out, const uint8_t *rgba)
{
    for (size_t k = 0; k < (size_t)out->width * out->height; k++)
        for (size_t c = 0; c < 3; c++) {
            uint32_t opacity = rgba[4 * k + 3];
            out->at[3 * k + c] = (uint8_t)((rgba[4 * k + c] * opacity + 255 * (255 - opacity) + 127) / 255);
        }
}

int qc_pixmap_init(QcPixmap *p, uint32_t width, uint32_t height, size_t length, const char *name, QcErr *err)
{
    uint64_t bytes = (uint64_t)width * height * 3;
    if (!width || !height || width > QC_SIDE_MAX || height > QC_SIDE_MAX)
        return qc_fail(err, QC_EFORMAT, "%.300s: %u x %u pixels are not possible", name, width, height);
    if (qc_inflate_check(name, length, bytes, err)) return -1;
    *p = (QcPixmap){width, height, malloc(bytes)};
    return p->at ? 0 : qc_fail_memory(err, name);
}

void qc_pixmap_release(QcPixmap *p)
{
    if (!p) return;
    free(p->at);
    *p = (QcPixmap){0};
}

/* --- scaling: along rows, then along columns ----------------------------------------------------------- */

/* The contributions to one output pixel: weights of the pixels of a line from `first` on. */
typedef struct Taps {
    uint32_t first, n;
    const float *weights; /* [n], sum 1 */
} Taps;

typedef struct Plan {
    Taps *taps;     /* [out] */
    float *weights; /* of all */
} Plan;

static void release_plan(Plan *plan)
{
    free(plan->taps);
    free(plan->weights);
}

static uint32_t area_taps(float *weights, uint32_t *first, double from, double to, uint32_t in)
{
    uint32_t a = (uint32_t)from, b = (uint32_t)ceil(to - 1e-9);
    if (b > in) b = in;
    *first = a;
    for (uint32_t k = a; k < b; k++) weights[k - a] = (float)((fmin(to, k + 1.0) - fmax(from, k)) / (to - from));
    return b - a;
}

static uint32_t bilinear_taps(float *weights, uint32_t *first, double centre, uint32_t in)
{
    double at = fmin(fmax(centre, 0), in - 1.0);
    uint32_t left = (uint32_t)at;
    *first = left;
    weights[0] = (float)(1 - (at - left));
    if (left + 1 >= in) return weights[0] = 1, 1;
    weights[1] = (float)(at - left);
    return 2;
}

static int make_plan(Plan *plan, uint32_t out, uint32_t in, QcResize how, QcErr *err)
{
    double step = (double)in / out;
    int area = how == QC_RESIZE_AREA && in > out;
    size_t most = area ? (size_t)step + 3 : 2;
    *plan = (Plan){malloc(out * sizeof *plan->taps), malloc(out * most * sizeof(float))};
    if (!plan->taps || !plan->weights) {
        release_plan(plan);
        return qc_fail_memory(err, "scaling a picture");
    }
    for (uint32_t i = 0; i < out; i++) {
        float *weights = plan->weights + i * most;
        uint32_t first, n = area ? area_taps(weights, &first, i * step, (i + 1) * step, in)
                                 : bilinear_taps(weights, &first, (i + .5) * step - .5, in);
        plan->taps[i] = (Taps){first, n, weights};
    }
    return 0;
}

/* rows[height of the part][3][width of the output] */
static void scale_rows(float *rows, uint32_t width, const QcPixmap *p, uint32_t x0, uint32_t y0, uint32_t height,
                       const Plan *plan)
{
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *line = p->at + ((size_t)(y0 + y) * p->width + x0) * 3;
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < 3; c++) {
                const Taps *t = &plan->taps[x];
                float sum = 0;
                for (uint32_t k = 0; k < t->n; k++) sum += t->weights[k] * (float)line[(t->first + k) * 3 + c];
                rows[((size_t)y * 3 + c) * width + x] = sum;
            }
    }
}

static void scale_columns(float *out, uint32_t height, uint32_t width, const float *rows, const Plan *plan, int grey)
{
    static const float luma[3] = {0.299f, 0.587f, 0.114f};
    size_t plane = (size_t)height * width;
    for (uint32_t c = 0; c < 3; c++)
        for (uint32_t y = 0; y < height; y++) {
            const Taps *t = &plan->taps[y];
            float *to = out + (grey ? 0 : c * plane) + (size_t)y * width;
            for (uint32_t x = 0; x < width; x++) {
                float sum = 0;
                for (uint32_t k = 0; k < t->n; k++)
                    sum += t->weights[k] * rows[((size_t)(t->first + k) * 3 + c) * width + x];
                to[x] = grey ? (c ? to[x] : 0) + luma[c] * sum : sum;
            }
        }
}

/* The side of the largest part of a x b that has the shape of `to` x `other`. */
static uint32_t part_side(uint32_t a, uint32_t b, uint32_t to, uint32_t other)
{
    double side = floor((double)b * to / other + .5);
    return side >= a ? a : side < 1 ? 1 : (uint32_t)side;
}

int qc_pixmap_scale(float *out, uint32_t height, uint32_t width, const QcPixmap *p, QcResize how, int crop, int grey,
                    QcErr *err)
{
    uint32_t w = crop ? part_side(p->width, p->height, width, height) : p->width,
             h = crop ? part_side(p->height, p->width, height, width) : p->height;
    Plan across = {0}, down = {0};
    float *rows = malloc((size_t)h * 3 * width * sizeof *rows);
    int status = !rows ? qc_fail_memory(err, "scaling a picture") : make_plan(&across, width, w, how, err);
    if (!status) {
        status = make_plan(&down, height, h, how, err);
        if (!status) {
            scale_rows(rows, width, p, (p->width - w) / 2, (p->height - h) / 2, h, &across);
            scale_columns(out, height, width, rows, &down, grey);
            release_plan(&down);
        }
        release_plan(&across);
    }
    free(rows);
    return status;
}
