/* JPEG through libjpeg, which reports errors by a long jump to qc_jpeg_decode. Only Jpeg holds memory that must be
 * freed between the calls. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "pixmap.h"

enum { SCANS_MAX = 200 }; /* a progressive picture has some ten; each costs a pass over all of it */

typedef struct Jpeg {
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf way_out;
    char words[JMSG_LENGTH_MAX];
    uint8_t *line; /* of a picture in four inks */
    QcPixmap *pixmap;
    const char *name;
    size_t length;
    QcErr *err;
    int reported; /* err is written already */
} Jpeg;

static void leave(j_common_ptr common)
{
    Jpeg *j = common->client_data;
    common->err->format_message(common, j->words);
    longjmp(j->way_out, 1);
}

/* libjpeg fills in missing or wrong parts and only warns; a picture with invented parts is refused. */
static void heed_warning(j_common_ptr common, int level)
{
    int code = common->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
                      code == JWRN_MUST_RESYNC || code == JWRN_BOGUS_PROGRESSION))
        leave(common);
}

static void say_nothing(j_common_ptr common) { (void)common; }

static void count_scans(j_common_ptr common)
{
    Jpeg *j = common->client_data;
    if (j->d.input_scan_number <= SCANS_MAX) return;
    snprintf(j->words, sizeof j->words, "more than %d scans", SCANS_MAX);
    longjmp(j->way_out, 1);
}

/* Cyan, magenta, yellow and black, which Adobe's programs store inverted. */
static void mix_inks(uint8_t *out, const uint8_t *line, uint32_t width, int inverted)
{
    for (uint32_t x = 0; x < width; x++)
        for (uint32_t c = 0; c < 3; c++) {
            uint32_t ink = line[4 * x + c], black = line[4 * x + 3];
            *out++ = (uint8_t)(((inverted ? ink : 255 - ink) * (inverted ? black : 255 - black) + 127) / 255);
        }
}

static void read_lines(Jpeg *j)
{
    size_t width = j->d.output_width;
    while (j->d.output_scanline < j->d.output_height) {
        uint8_t *to = j->pixmap->at + (size_t)j->d.output_scanline * width * 3;
        JSAMPROW row = j->line ? j->line : to;
        jpeg_read_scanlines(&j->d, &row, 1);
        if (j->line) mix_inks(to, j->line, (uint32_t)width, j->d.saw_Adobe_marker);
    }
}

static int decode(Jpeg *j, const uint8_t *bytes, size_t length)
{
    jpeg_create_decompress(&j->d);
    j->d.client_data = j;
    j->d.progress = &j->progress;
    jpeg_mem_src(&j->d, bytes, (unsigned long)length);
    jpeg_read_header(&j->d, TRUE);
    int inks = j->d.jpeg_color_space == JCS_CMYK || j->d.jpeg_color_space == JCS_YCCK;
    j->d.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    j->reported = 1;
    if (qc_pixmap_init(j->pixmap, j->d.image_width, j->d.image_height, j->length, j->name, j->err)) return -1;
    if (inks && !(j->line = malloc((size_t)j->d.image_width * 4))) return qc_fail_memory(j->err, j->name);
    j->reported = 0;
    jpeg_start_decompress(&j->d);
    read_lines(j);
    jpeg_finish_decompress(&j->d);
    return 0;
}

int qc_jpeg_decode(QcPixmap *p, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    Jpeg j = {.pixmap = p, .name = name, .length = length, .err = err};
    *p = (QcPixmap){0};
    j.d.err = jpeg_std_error(&j.errors);
    j.d.client_data = &j;
    j.errors.error_exit = leave;
    j.errors.emit_message = heed_warning;
    j.errors.output_message = say_nothing;
    j.progress.progress_monitor = count_scans;
    int status = setjmp(j.way_out) ? -1 : decode(&j, bytes, length);
    if (status && !j.reported) qc_fail(err, QC_EFORMAT, "%.300s is a damaged JPEG: %.100s", name, j.words);
    jpeg_destroy_decompress(&j.d);
    free(j.line);
    if (status) qc_pixmap_release(p);
    return status;
}
