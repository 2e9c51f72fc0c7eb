/* ZIP as in zip.c, without compression; arrays as in ndarray.c, version 1.0. */
#include "npzwrite.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/file.h"

enum {
    LOCAL_BYTES = 30,
    BEFORE_HEADER = 10,
    DATE = 1 << 5 | 1 /* the first day of 1980, so that the same data makes the same bytes */
};

static void put_sizes(QcWriter *w, const QcNpzMember *m)
{
    qc_put_u16(w, 20); /* version needed */
    qc_put_u16(w, 0);
    qc_put_u16(w, 0); /* stored */
    qc_put_u16(w, 0);
    qc_put_u16(w, DATE);
    qc_put_u32(w, m->crc);
    qc_put_u32(w, m->length);
    qc_put_u32(w, m->length);
    qc_put_u16(w, (uint16_t)strlen(m->name));
    qc_put_u16(w, 0);
}

static void put_local(QcWriter *w, const QcNpzMember *m)
{
    qc_put_u32(w, 0x04034b50);
    put_sizes(w, m);
    qc_put_bytes(w, m->name, strlen(m->name));
}

static void put_entry(QcWriter *w, const QcNpzMember *m)
{
    qc_put_u32(w, 0x02014b50);
    qc_put_u16(w, 20);
    put_sizes(w, m);
    qc_put_u16(w, 0); /* no comment, one volume, no attributes */
    qc_put_u16(w, 0);
    qc_put_u16(w, 0);
    qc_put_u32(w, 0);
    qc_put_u32(w, m->at);
    qc_put_bytes(w, m->name, strlen(m->name));
}

/* The dictionary ends in a newline, and all before the values is a multiple of 64 bytes. */
static void put_header(QcWriter *w, const char *descr, const uint64_t *shape, uint32_t rank)
{
    char text[320];
    int n = snprintf(text, sizeof text, "{'descr': '%.16s', 'fortran_order': False, 'shape': (", descr);
    for (uint32_t k = 0; k < rank; k++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%" PRIu64 ",%s", shape[k], k + 1 < rank ? " " : "");
    n += snprintf(text + n, sizeof text - (size_t)n, "), }");
    while ((BEFORE_HEADER + n + 1) % 64) text[n++] = ' ';
    text[n++] = '\n';
    qc_put_bytes(w, "\x93NUMPY\x01\x00", 8);
    qc_put_u16(w, (uint16_t)n);
    qc_put_bytes(w, text, (size_t)n);
}

static QcNpzMember *next_member(QcNpz *npz)
{
    if (npz->n == npz->room) {
        uint32_t room = npz->room ? 2 * npz->room : 16;
        QcNpzMember *members = realloc(npz->members, room * sizeof *members);
        if (!members) {
            npz->out.bad = 1; /* reported by qc_npz_save, like all that the writer lacks */
            return NULL;
        }
        npz->members = members;
        npz->room = room;
    }
    return &npz->members[npz->n];
}

void qc_npz_begin(QcNpz *npz, const char *name, const char *descr, const uint64_t *shape, uint32_t rank)
{
    assert(npz->n < UINT16_MAX && rank <= 8 && strlen(name) < sizeof npz->members->name - 4);
    QcNpzMember *m = next_member(npz);
    if (!m) return;
    *m = (QcNpzMember){.at = (uint32_t)npz->out.length};
    snprintf(m->name, sizeof m->name, "%s.npy", name);
    put_local(&npz->out, m);
    put_header(&npz->out, descr, shape, rank);
}

/* Length and checksum are known only now: they stand 14 bytes after the beginning of the local header. */
void qc_npz_end(QcNpz *npz)
{
    QcNpzMember *m = npz->n < npz->room ? &npz->members[npz->n++] : NULL;
    if (!m || npz->out.bad || npz->out.length > UINT32_MAX) return; /* qc_npz_save says so */
    uint8_t *data = npz->out.bytes + m->at + LOCAL_BYTES + strlen(m->name), *fields = npz->out.bytes + m->at + 14;
    m->length = (uint32_t)(npz->out.bytes + npz->out.length - data);
    m->crc = (uint32_t)crc32_z(0, data, m->length);
    for (int k = 0; k < 4; k++) {
        fields[k] = (uint8_t)(m->crc >> 8 * k);
        fields[4 + k] = fields[8 + k] = (uint8_t)(m->length >> 8 * k);
    }
}

/* The next letter of valid UTF-8. */
static uint32_t take_letter(const unsigned char **at)
{
    const unsigned char *p = *at;
    uint32_t more = p[0] < 0x80   ? 0
                    : p[0] < 0xe0 ? 1
                    : p[0] < 0xf0 ? 2
                                  : 3,
             letter = more ? p[0] & (0x3fu >> more) : p[0];
    for (uint32_t k = 1; k <= more; k++) letter = letter << 6 | (p[k] & 0x3f);
    *at = p + 1 + more;
    return letter;
}

static uint32_t count_letters(const char *text)
{
    uint32_t n = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at; n++) take_letter(&at);
    return n;
}

void qc_npz_texts(QcNpz *npz, const char *name, const char *const *texts, uint32_t n)
{
    char descr[16];
    uint32_t longest = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t letters = count_letters(texts[i]);
        if (letters > longest) longest = letters;
    }
    snprintf(descr, sizeof descr, "<U%u", longest);
    qc_npz_begin(npz, name, descr, &(uint64_t){n}, 1);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *at = (const unsigned char *)texts[i];
        for (uint32_t k = 0; k < longest; k++) qc_put_u32(&npz->out, *at ? take_letter(&at) : 0);
    }
    qc_npz_end(npz);
}

int qc_npz_save(QcNpz *npz, const char *path, QcErr *err)
{
    QcWriter *w = &npz->out;
    size_t at = w->length;
    for (uint32_t k = 0; k < npz->n; k++) put_entry(w, &npz->members[k]);
    size_t directory = w->length - at;
    if (w->length > UINT32_MAX)
        return qc_fail(err, QC_EUSAGE, "%.300s would be larger than 4 GB: write parts of the data (qc-split)",
                       qc_output_name(path));
    qc_put_u32(w, 0x06054b50);
    qc_put_u16(w, 0);
    qc_put_u16(w, 0);
    qc_put_u16(w, (uint16_t)npz->n);
    qc_put_u16(w, (uint16_t)npz->n);
    qc_put_u32(w, (uint32_t)directory);
    qc_put_u32(w, (uint32_t)at);
    qc_put_u16(w, 0);
    return qc_writer_check(w, err) || qc_write_all(path, w->bytes, w->length, err) ? -1 : 0;
}

void qc_npz_release(QcNpz *npz)
{
    if (!npz) return;
    qc_writer_release(&npz->out);
    free(npz->members);
    *npz = (QcNpz){0};
}
