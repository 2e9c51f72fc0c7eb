/* PKWARE's APPNOTE.TXT: members one after another, each with a local header; then the central directory, which lists
 * them; then its end record, which says where it is. Lengths of 0xffffffff stand in a 64-bit extension (extra field
 * 1). */
#include "zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/digest.h"
#include "inflate.h"

enum {
    END_BYTES = 22,
    COMMENT_MAX = 65535,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    LOCATOR_BYTES = 20,
    END64_BYTES = 56,
    MEMBERS_MAX = 65535,
    PIECE = 1 << 20,
    STORED = 0,
    DEFLATED = 8
};

static uint64_t le(const uint8_t *at, int n)
{
    uint64_t value = 0;
    for (int k = 0; k < n; k++) value |= (uint64_t)at[k] << 8 * k;
    return value;
}

static int fail(const QcZip *z, QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: %s", z->name, what);
}

/* --- the directory -------------------------------------------------------------------------------------- */

typedef struct Directory {
    uint64_t at, length, n;
} Directory;

static const uint8_t *find_end(const QcZip *z)
{
    if (z->view->length < END_BYTES) return NULL;
    const uint8_t *last = z->view->bytes + z->view->length - END_BYTES,
                  *first = z->view->length > END_BYTES + COMMENT_MAX ? last - COMMENT_MAX : z->view->bytes;
    for (const uint8_t *at = last;; at--) {
        if (le(at, 4) == 0x06054b50 && le(at + 20, 2) == (uint64_t)(last - at)) return at;
        if (at == first) return NULL;
    }
}

static int find_directory(Directory *d, const QcZip *z, QcErr *err)
{
    const uint8_t *end = find_end(z);
    if (!end) return fail(z, err, "is no ZIP archive, or is cut off");
    *d = (Directory){.n = le(end + 10, 2), .length = le(end + 12, 4), .at = le(end + 16, 4)};
    if (d->n == 0xffff || d->length == 0xffffffff || d->at == 0xffffffff) {
        const uint8_t *locator = (size_t)(end - z->view->bytes) >= LOCATOR_BYTES ? end - LOCATOR_BYTES : NULL;
        if (locator && le(locator, 4) == 0x07064b50) {
            uint64_t at = le(locator + 8, 8);
            if (at > z->view->length || z->view->length - at < END64_BYTES || le(z->view->bytes + at, 4) != 0x06064b50)
                return fail(z, err, "the archive's 64-bit end record is not where it should be");
            *d = (Directory){.n = le(z->view->bytes + at + 32, 8),
                             .length = le(z->view->bytes + at + 40, 8),
                             .at = le(z->view->bytes + at + 48, 8)};
        }
    }
    if (d->at > z->view->length || d->length > z->view->length - d->at || d->n > MEMBERS_MAX ||
        d->n * ENTRY_BYTES > d->length)
        return fail(z, err, "the archive's directory is not where it should be");
    return 0;
}

/* The 64-bit extension holds only the numbers (of three) that did not fit, in this order. */
static int extend(QcZipMember *m, const uint8_t *extra, size_t length)
{
    uint64_t *wide[3] = {m->length == 0xffffffff ? &m->length : NULL,
                         m->compressed == 0xffffffff ? &m->compressed : NULL, m->at == 0xffffffff ? &m->at : NULL};
    if (!wide[0] && !wide[1] && !wide[2]) return 0;
    while (length >= 4) {
        size_t size = (size_t)le(extra + 2, 2);
        if (size > length - 4) return -1;
        const uint8_t *at = extra + 4, *end = at + size;
        for (int k = 0; le(extra, 2) == 1 && k < 3; k++) {
            if (!wide[k]) continue;
            if (end - at < 8) return -1;
            *wide[k] = le(at, 8);
            at += 8;
        }
        if (le(extra, 2) == 1) return 0;
        extra += 4 + size;
        length -= 4 + size;
    }
    return -1;
}

static int read_member(QcZipMember *m, const QcZip *z, const uint8_t **at, const uint8_t *end, QcArena *arena,
                       QcErr *err)
{
    const uint8_t *e = *at;
    if (end - e < ENTRY_BYTES || le(e, 4) != 0x02014b50) return fail(z, err, "the archive's directory is damaged");
    size_t name = (size_t)le(e + 28, 2), extra = (size_t)le(e + 30, 2), comment = (size_t)le(e + 32, 2);
    if ((size_t)(end - e) - ENTRY_BYTES < name + extra + comment)
        return fail(z, err, "the archive's directory is damaged");
    *m = (QcZipMember){.method = (uint32_t)le(e + 10, 2),
                       .crc = (uint32_t)le(e + 16, 4),
                       .compressed = le(e + 20, 4),
                       .length = le(e + 24, 4),
                       .at = le(e + 42, 4)};
    if (extend(m, e + ENTRY_BYTES + name, extra)) return fail(z, err, "the archive's directory is damaged");
    if (!name || memchr(e + ENTRY_BYTES, 0, name)) return fail(z, err, "a member of the archive has no proper name");
    if (le(e + 8, 2) & 1) return fail(z, err, "the archive is encrypted");
    m->name = qc_arena_text(arena, (const char *)e + ENTRY_BYTES, name, err);
    *at = e + ENTRY_BYTES + name + extra + comment;
    return m->name ? 0 : -1;
}

int qc_zip_open(QcZip *zip, QcInputView *archive, const char *name, QcArena *arena, QcErr *err)
{
    Directory d = {0};
    *zip = (QcZip){.name = name, .view = archive};
    if (find_directory(&d, zip, err)) return -1;
    zip->members = qc_arena_take(arena, (size_t)d.n, sizeof *zip->members, err);
    if (!zip->members) return -1;
    const uint8_t *at = archive->bytes + d.at, *end = at + d.length;
    for (uint64_t k = 0; k < d.n; k++) {
        QcZipMember m = {0};
        if (read_member(&m, zip, &at, end, arena, err)) return -1;
        int known = qc_nametable_add(&zip->table, arena, m.name, zip->n, err);
        if (known)
            return known < 0 ? -1
                             : qc_fail(err, QC_EFORMAT, "%.300s: two members of the archive are called '%.60s'", name,
                                       m.name);
        zip->members[zip->n++] = m;
    }
    return 0;
}

const QcZipMember *qc_zip_find(const QcZip *zip, const char *name)
{
    int64_t k = qc_nametable_find(&zip->table, name);
    return k < 0 ? NULL : &zip->members[k];
}

/* --- a member ------------------------------------------------------------------------------------------- */

/* Raw deflate, of exactly this length. zlib counts in 32 bits, so it is fed by pieces. */
static int inflate_member(uint8_t *out, const QcZip *z, const QcZipMember *m, const uint8_t *from, QcErr *err)
{
    z_stream s = {0};
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK) return qc_fail_memory(err, "inflating");
    uint64_t in = m->compressed, room = m->length;
    int state = Z_OK;
    while (state == Z_OK) {
        uint8_t beyond;
        uInt give = in > 1u << 30 ? 1u << 30 : (uInt)in, take = room > 1u << 30 ? 1u << 30 : (uInt)room;
        s.next_in = (Bytef *)from;
        s.avail_in = give;
        s.next_out = take ? out : &beyond; /* the end of the stream may still be to come */
        s.avail_out = take ? take : 1;
        state = inflate(&s, Z_NO_FLUSH);
        if (!take && !s.avail_out) state = Z_DATA_ERROR;
        uInt used = give - s.avail_in, made = take ? take - s.avail_out : 0;
        if (state == Z_OK && !used && !made) state = Z_DATA_ERROR;
        from += used;
        in -= used;
        out += made;
        room -= made;
    }
    inflateEnd(&s);
    if (state != Z_STREAM_END || room || in)
        return qc_fail(err, QC_EFORMAT, "%.300s: member '%.60s' is damaged", z->name, m->name);
    return 0;
}

static int find_data(const uint8_t **from, const QcZip *z, const QcZipMember *m, QcErr *err)
{
    if (m->at <= z->view->length && z->view->length - m->at >= LOCAL_BYTES &&
        le(z->view->bytes + m->at, 4) == 0x04034b50) {
        const uint8_t *header = z->view->bytes + m->at;
        uint64_t before = LOCAL_BYTES + le(header + 26, 2) + le(header + 28, 2);
        if (before <= z->view->length - m->at && m->compressed <= z->view->length - m->at - before) {
            *from = header + before;
            return 0;
        }
    }
    return qc_fail(err, QC_EFORMAT, "%.300s: member '%.60s' is not where the directory says", z->name, m->name);
}

static int fail_crc(const QcZip *z, const QcZipMember *m, QcErr *err)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: member '%.60s' is damaged (its checksum is wrong)", z->name, m->name);
}

/* The CRC-32 of bytes of the archive; their pages are returned to the system while they are read. */
static int check_stored(const uint8_t *from, const QcZip *z, const QcZipMember *m, QcErr *err)
{
    uint32_t crc = 0;
    for (uint64_t at = 0, n; at < m->length; at += n) {
        n = m->length - at < PIECE ? m->length - at : PIECE;
        crc = qc_crc32_more(crc, from + at, (size_t)n);
        qc_inputview_pass(z->view, from + at + n);
    }
    qc_inputview_again(z->view);
    return crc == m->crc ? 0 : fail_crc(z, m, err);
}

int qc_zip_view(const uint8_t **stays, QcInputView *own, const QcZip *zip, const QcZipMember *m, QcErr *err)
{
    uint8_t *bytes = NULL;
    *own = (QcInputView){0};
    if (m->method == STORED && m->compressed == m->length)
        return find_data(stays, zip, m, err) || check_stored(*stays, zip, m, err) ? -1 : 0;
    if (qc_zip_read(&bytes, zip, m, err)) return -1;
    qc_inputview_own(own, bytes, (size_t)m->length);
    *stays = bytes;
    return 0;
}

int qc_zip_read(uint8_t **bytes, const QcZip *zip, const QcZipMember *m, QcErr *err)
{
    const uint8_t *from = NULL;
    if (m->method != STORED && m->method != DEFLATED)
        return qc_fail(err, QC_EFORMAT, "%.300s: member '%.60s' is compressed in an unknown way", zip->name, m->name);
    if (find_data(&from, zip, m, err) || qc_inflate_check(zip->name, m->compressed, m->length, err)) return -1;
    if (m->method == STORED && m->compressed != m->length)
        return qc_fail(err, QC_EFORMAT, "%.300s: member '%.60s' is damaged", zip->name, m->name);
    uint8_t *out = malloc(m->length ? m->length : 1);
    if (!out) return qc_fail_memory(err, m->name);
    int status = 0;
    if (m->method == STORED) memcpy(out, from, m->length);
    else status = inflate_member(out, zip, m, from, err);
    if (!status && qc_crc32(out, (size_t)m->length) != m->crc) status = fail_crc(zip, m, err);
    if (status) {
        free(out);
        return -1;
    }
    *bytes = out;
    return 0;
}
