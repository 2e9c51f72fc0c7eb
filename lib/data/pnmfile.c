/* PNM pictures (Netpbm): bitmaps P1 P4, grey P2 P5, colours P3 P6; text or bytes, up to 16 bits per value, "#" comments
 * in the head. */
#include <stdlib.h>
#include <string.h>

#include "pixmap.h"

typedef struct Pnm {
    const uint8_t *at, *end;
    uint32_t kind, width, height, most; /* kind: 1 to 6; most: the value that is white */
} Pnm;

static void skip_blanks(Pnm *p)
{
    while (p->at < p->end && (*p->at == ' ' || (*p->at >= '\t' && *p->at <= '\r') || *p->at == '#')) {
        if (*p->at == '#')
            while (p->at < p->end && *p->at != '\n') p->at++;
        else p->at++;
    }
}

/* A number in decimal digits, at most 65535; a bit of P1 is one digit. -1: there is none. */
static int read_number(Pnm *p, uint32_t *value, int one_digit)
{
    skip_blanks(p);
    const uint8_t *from = p->at;
    *value = 0;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && *value <= 65535) {
        *value = *value * 10 + (uint32_t)(*p->at++ - '0');
        if (one_digit) break;
    }
    return p->at == from || *value > 65535 ? -1 : 0;
}

static int read_head(Pnm *p)
{
    p->kind = (uint32_t)(p->at[1] - '0');
    p->at += 2;
    p->most = 1;
    if (read_number(p, &p->width, 0) || read_number(p, &p->height, 0)) return -1;
    if (p->kind != 1 && p->kind != 4 && (read_number(p, &p->most, 0) || !p->most)) return -1;
    if (p->kind >= 4 && (p->at == p->end || *p->at++ > ' ')) return -1; /* one blank, then the bytes */
    return 0;
}

/* The next value of a picture that is no packed bitmap. */
static int read_value(Pnm *p, uint32_t *value)
{
    if (p->kind < 4) return read_number(p, value, p->kind == 1) || *value > p->most ? -1 : 0;
    size_t n = p->most > 255 ? 2 : 1;
    if ((size_t)(p->end - p->at) < n) return -1;
    *value = n == 2 ? (uint32_t)p->at[0] << 8 | p->at[1] : p->at[0];
    p->at += n;
    return *value > p->most ? -1 : 0;
}

static int read_row(Pnm *p, uint8_t *out, uint32_t width)
{
    uint32_t values = p->kind == 3 || p->kind == 6 ? 3 : 1, value = 0;
    for (uint32_t x = 0; x < width; x++)
        for (uint32_t c = 0; c < 3; c++, out++) {
            if (c < values) {
                if (p->kind == 4) {
                    if (x / 8 >= (size_t)(p->end - p->at)) return -1;
                    value = p->at[x / 8] >> (7 - x % 8) & 1;
                } else if (read_value(p, &value)) return -1;
            }
            uint32_t shown = p->kind == 1 || p->kind == 4 ? !value : value; /* in bitmaps 1 is black */
            *out = (uint8_t)((shown * 255 + p->most / 2) / p->most);
        }
    if (p->kind == 4) p->at += (width + 7) / 8;
    return 0;
}

int qc_pnm_decode(QcPixmap *out, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    Pnm p = {.at = bytes, .end = bytes + length};
    *out = (QcPixmap){0};
    if (length < 3 || read_head(&p)) return qc_fail(err, QC_EFORMAT, "%.300s is a damaged PNM picture", name);
    if (qc_pixmap_init(out, p.width, p.height, length, name, err)) return -1;
    for (uint32_t y = 0; y < out->height; y++)
        if (read_row(&p, out->at + (size_t)y * out->width * 3, out->width)) {
            qc_pixmap_release(out);
            return qc_fail(err, QC_EFORMAT, "%.300s is a damaged PNM picture, or one that is cut off", name);
        }
    return 0;
}
