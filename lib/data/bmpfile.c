/* BMP pictures (Windows): 1, 4, 8 bits with a palette, 24 and 32 bits, uncompressed. All numbers are little-endian. */
#include <string.h>

#include "pixmap.h"

enum { FILE_HEAD = 14, OLD_HEAD = 12, NEW_HEAD = 40, COLOURS_MAX = 256 };

typedef struct Bmp {
    const uint8_t *bytes;
    size_t length;
    uint32_t head, pixels, width, height, bits, compression, colours,
        entry; /* pixels: where they begin; entry: bytes of a palette colour */
    int top_down;
} Bmp;

static uint32_t u16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t u32(const uint8_t *at) { return u16(at) | u16(at + 2) << 16; }

/* NULL, or what is wrong. */
static const char *read_head(Bmp *b)
{
    const uint8_t *h = b->bytes + FILE_HEAD;
    if (b->length < FILE_HEAD + OLD_HEAD) return "damaged";
    b->head = u32(h);
    b->pixels = u32(b->bytes + 10);
    if (b->head != OLD_HEAD && b->head < NEW_HEAD) return "of an unknown kind";
    if (b->head > b->length - FILE_HEAD) return "damaged";
    int old = b->head == OLD_HEAD;
    b->width = old ? u16(h + 4) : u32(h + 4);
    b->height = old ? u16(h + 6) : u32(h + 8);
    b->bits = old ? u16(h + 10) : u16(h + 14);
    b->compression = old ? 0 : u32(h + 16);
    b->colours = old ? 0 : u32(h + 32);
    b->entry = old ? 3 : 4;
    if (!old && b->height >= 0x80000000u) b->top_down = 1, b->height = -b->height;
    /* 3: masks for the bits, which for 32 bits are nearly always blue, green, red */
    if (b->compression == 3 && b->bits == 32 && b->length >= FILE_HEAD + NEW_HEAD + 12 && u32(h + 40) == 0xff0000 &&
        u32(h + 44) == 0xff00 && u32(h + 48) == 0xff)
        b->compression = 0;
    if (b->compression) return "compressed, which is not supported: save it as PNG";
    if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 24 && b->bits != 32)
        return "of a depth that is not supported: save it as PNG";
    if (b->bits <= 8 && (!b->colours || b->colours > 1u << b->bits)) b->colours = 1u << b->bits;
    if (b->bits <= 8 && (uint64_t)FILE_HEAD + b->head + (uint64_t)b->colours * b->entry > b->length) return "damaged";
    return NULL;
}

static int read_row(const Bmp *b, uint8_t *out, const uint8_t *row)
{
    const uint8_t *palette = b->bytes + FILE_HEAD + b->head;
    for (uint32_t x = 0; x < b->width; x++, out += 3) {
        const uint8_t *colour;
        if (b->bits >= 24) {
            colour = row + (size_t)x * b->bits / 8;
        } else {
            uint32_t bit = x * b->bits, index = row[bit / 8] >> (8 - b->bits - bit % 8) & ((1u << b->bits) - 1);
            if (index >= b->colours) return -1;
            colour = palette + (size_t)index * b->entry;
        }
        out[0] = colour[2];
        out[1] = colour[1];
        out[2] = colour[0];
    }
    return 0;
}

int qc_bmp_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    Bmp b = {.bytes = bytes, .length = length};
    *p = (QcPixmap){0};
    const char *wrong = read_head(&b);
    if (wrong) return qc_fail(err, QC_EFORMAT, "%.300s is a BMP picture that is %s", name, wrong);
    if (qc_pixmap_init(p, b.width, b.height, length, name, err)) return -1;
    uint64_t stride = ((uint64_t)b.width * b.bits + 31) / 32 * 4;
    int status = b.pixels > length || stride * b.height > length - b.pixels ? -1 : 0;
    for (uint32_t y = 0; !status && y < b.height; y++)
        status = read_row(&b, p->at + (size_t)y * b.width * 3,
                          bytes + b.pixels + stride * (b.top_down ? y : b.height - 1 - y));
    if (!status) return 0;
    qc_pixmap_release(p);
    return qc_fail(err, QC_EFORMAT, "%.300s is a damaged BMP picture, or one that is cut off", name);
}
