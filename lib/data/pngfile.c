/* PNG through libpng, which reports errors by a long jump to qc_png_decode. Only Png holds memory that must be freed
 * between the calls. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "inflate.h"
#include "pixmap.h"

enum { CHUNK_MAX = 8 << 20 }; /* of what a text or a colour profile may inflate to */

typedef struct Png {
    png_structp png;
    png_infop info;
    const uint8_t *at, *end;
    char words[100];
    uint8_t *pixels; /* [height][width][4] */
    uint8_t **rows;
    QcPixmap *pixmap;
    const char *name;
    size_t length;
    QcErr *err;
    int reported; /* err is written already */
} Png;

static void leave(png_structp png, png_const_charp words)
{
    Png *p = png_get_error_ptr(png);
    snprintf(p->words, sizeof p->words, "%.90s", words);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp words)
{
    (void)png;
    (void)words;
}

static void give(png_structp png, png_bytep to, size_t n)
{
    Png *p = png_get_io_ptr(png);
    if ((size_t)(p->end - p->at) < n) png_error(png, "cut off");
    memcpy(to, p->at, n);
    p->at += n;
}

/* Whatever it holds comes as red, green, blue and opacity of 8 bits. */
static void ask_for_rgba(const Png *p)
{
    png_set_expand(p->png);
    png_set_scale_16(p->png);
    png_set_gray_to_rgb(p->png);
    png_set_add_alpha(p->png, 0xff, PNG_FILLER_AFTER);
    (void)png_set_interlace_handling(p->png);
    png_read_update_info(p->png, p->info);
}

static int take_memory(Png *p, uint32_t width, uint32_t height)
{
    if (qc_pixmap_init(p->pixmap, width, height, p->length, p->name, p->err)) return -1;
    p->pixels = malloc((size_t)width * height * 4);
    p->rows = malloc(height * sizeof *p->rows);
    if (!p->pixels || !p->rows) return qc_fail_memory(p->err, p->name);
    for (uint32_t y = 0; y < height; y++) p->rows[y] = p->pixels + (size_t)y * width * 4;
    return 0;
}

static int decode(Png *p)
{
    if (setjmp(png_jmpbuf(p->png))) return -1;
    png_set_read_fn(p->png, p, give);
    png_set_user_limits(p->png, QC_SIDE_MAX, QC_SIDE_MAX);
    png_set_chunk_malloc_max(p->png, CHUNK_MAX);
    png_set_chunk_cache_max(p->png, 64);
    png_read_info(p->png, p->info);
    p->reported = 1;
    if (take_memory(p, png_get_image_width(p->png, p->info), png_get_image_height(p->png, p->info))) return -1;
    p->reported = 0;
    ask_for_rgba(p);
    if (png_get_rowbytes(p->png, p->info) != (size_t)p->pixmap->width * 4)
        png_error(p->png, "rows of a size that was not asked for");
    png_read_image(p->png, p->rows);
    png_read_end(p->png, NULL);
    qc_pixmap_lay_on_white(p->pixmap, p->pixels);
    return 0;
}

int qc_png_decode(QcPixmap *out, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    Png p = {.at = bytes, .end = bytes + length, .pixmap = out, .name = name, .length = length, .err = err};
    *out = (QcPixmap){0};
    p.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &p, leave, ignore);
    p.info = p.png ? png_create_info_struct(p.png) : NULL;
    int status = -1;
    if (!p.info) {
        qc_fail_memory(err, name);
    } else {
        status = decode(&p);
        if (status && !p.reported) qc_fail(err, QC_EFORMAT, "%.300s is a damaged PNG: %.90s", name, p.words);
    }
    png_destroy_read_struct(&p.png, &p.info, NULL);
    free(p.pixels);
    free(p.rows);
    if (status) qc_pixmap_release(out);
    return status;
}
