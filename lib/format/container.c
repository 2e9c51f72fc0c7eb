#include "container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, ALIGN = 64, HEADER = 24, ENTRY = 40, NAME = 16, END = QC_DIGEST_BYTES + 8 };
static const char magic[4] = {'Q', 'C', 'F', '1'};
static const char end_mark[8] = {'Q', 'C', 'F', '1', 'E', 'N', 'D', '\n'};

const char *qc_kind_name(QcKind kind)
{
    static const char *const names[] = {"any", "model", "data", "miss log", "checkpoint"};
    return kind <= QC_KIND_CHECKPOINT ? names[kind] : "unknown";
}

static uint64_t aligned(uint64_t at) { return (at + ALIGN - 1) / ALIGN * ALIGN; }

/* Names are ASCII words, so that they can be compared, printed and looked up as they are. */
static int is_name(const char *name)
{
    size_t n = strlen(name);
    return n && n <= NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n;
}

void qc_container_init(QcContainer *c, QcKind kind) { *c = (QcContainer){.kind = kind}; }

void qc_container_release(QcContainer *c)
{
    if (!c) return;
    for (uint32_t i = 0; i < c->n; i++) free(c->sections[i].own);
    qc_arena_release(&c->arena);
    free(c->file);
    qc_pieces_close(c->pieces);
    *c = (QcContainer){0};
}

static int index_of(const QcContainer *c, const char *name)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (!strcmp(c->sections[i].name, name)) return (int)i;
    return -1;
}

int qc_container_add(QcContainer *c, const char *name, uint32_t flags, QcWriter *w, QcErr *err)
{
    int status = qc_writer_check(w, err), i = index_of(c, name);
    if (!status && i < 0 && c->n == QC_MAX_SECTIONS)
        status = qc_fail(err, QC_EFAIL, "a file has at most %d sections", QC_MAX_SECTIONS);
    if (!status && !is_name(name)) status = qc_fail(err, QC_EFAIL, "'%s' cannot be the name of a section", name);
    if (!status) {
        static const uint8_t nothing[1];
        if (i < 0) i = (int)c->n++;
        QcSection *s = &c->sections[i];
        free(s->own); /* a section that is written again and again takes no more memory each time */
        *s = (QcSection){.flags = flags, .bytes = w->bytes ? w->bytes : nothing, .length = w->length, .own = w->bytes};
        memcpy(s->name, name, strlen(name));
        *w = (QcWriter){0};
    }
    qc_writer_release(w);
    return status;
}

int qc_container_borrow(QcContainer *c, const char *name, uint32_t flags, const void *bytes, size_t length, QcErr *err)
{
    QcWriter none = {0};
    if (qc_container_add(c, name, flags, &none, err)) return -1;
    QcSection *s = &c->sections[index_of(c, name)];
    if (length) s->bytes = bytes;
    s->length = length;
    return 0;
}

void qc_container_remove(QcContainer *c, const char *name)
{
    int i = index_of(c, name);
    if (i < 0) return;
    free(c->sections[i].own);
    memmove(&c->sections[i], &c->sections[i + 1], (c->n - 1 - (uint32_t)i) * sizeof c->sections[0]);
    c->sections[--c->n] = (QcSection){0}; /* the content has moved: it must not be freed when the entry is used again */
}

/* ---- writing: to memory, or to a stream ---- */

typedef struct Sink {
    QcWriter *w;  /* NULL: the stream */
    FILE *stream;
    uint64_t at; /* bytes so far */
    QcDigest digest;
    int failed;
} Sink;

static void put(Sink *s, const void *bytes, size_t n)
{
    enum { AT_A_TIME = 1 << 18 }; /* bytes that stay in the cache from the digest to the write */
    const uint8_t *at = bytes;
    for (size_t piece; n && !s->failed; at += piece, n -= piece) {
        piece = n < AT_A_TIME ? n : AT_A_TIME;
        qc_digest_add(&s->digest, at, piece);
        s->at += piece;
        if (s->w) qc_put_bytes(s->w, at, piece);
        else s->failed = fwrite(at, 1, piece, s->stream) != piece;
    }
}

/* Offsets of the sections, and after them of the digest. */
static void place(uint64_t offset[QC_MAX_SECTIONS + 1], const QcContainer *c)
{
    offset[0] = aligned(HEADER + (uint64_t)ENTRY * c->n);
    for (uint32_t i = 0; i < c->n; i++) offset[i + 1] = aligned(offset[i] + c->sections[i].length);
}

static int put_header(Sink *sink, const QcContainer *c, const uint64_t *offset, QcErr *err)
{
    QcWriter w = {0};
    qc_put_bytes(&w, magic, sizeof magic);
    qc_put_u32(&w, c->kind);
    qc_put_u32(&w, VERSION);
    qc_put_u32(&w, c->n);
    qc_put_u64(&w, offset[c->n] + END);
    for (uint32_t i = 0; i < c->n; i++) {
        const QcSection *s = &c->sections[i];
        qc_put_bytes(&w, s->name, NAME);
        qc_put_u32(&w, s->flags);
        qc_put_u32(&w, qc_crc32(s->bytes, s->length));
        qc_put_u64(&w, offset[i]);
        qc_put_u64(&w, s->length);
    }
    int status = qc_writer_check(&w, err);
    if (!status) put(sink, w.bytes, w.length);
    qc_writer_release(&w);
    return status;
}

static int put_all(Sink *s, const QcContainer *c, QcErr *err)
{
    static const uint8_t zeros[ALIGN];
    uint64_t offset[QC_MAX_SECTIONS + 1];
    uint8_t digest[QC_DIGEST_BYTES];
    place(offset, c);
    if (s->w) qc_writer_reserve(s->w, offset[c->n] + END);
    qc_digest_init(&s->digest);
    if (put_header(s, c, offset, err)) return -1;
    for (uint32_t i = 0; i < c->n; i++) {
        put(s, zeros, offset[i] - s->at);
        put(s, c->sections[i].bytes, c->sections[i].length);
    }
    put(s, zeros, offset[c->n] - s->at);
    qc_digest_end(&s->digest, digest);
    put(s, digest, sizeof digest);
    put(s, end_mark, sizeof end_mark);
    return 0;
}

int qc_container_encode(const QcContainer *c, QcWriter *w, QcErr *err)
{
    Sink sink = {.w = w};
    return put_all(&sink, c, err) || qc_writer_check(w, err) ? -1 : 0;
}

int qc_container_write(const QcContainer *c, const QcOutput *out, const char *path, QcErr *err)
{
    Sink sink = {.stream = out->stream};
    errno = 0;
    if (put_all(&sink, c, err)) return -1;
    if (!sink.failed && !fflush(out->stream)) return 0;
    return qc_fail(err, QC_EIO, "cannot write %.300s: %s", qc_output_name(path), strerror(errno ? errno : EIO));
}

int qc_container_save(const QcContainer *c, const char *path, QcErr *err)
{
    QcOutput out;
    if (qc_output_open(&out, path, 1, err)) return -1;
    Sink sink = {.stream = out.stream};
    if (!put_all(&sink, c, err)) return qc_output_commit(&out, err); /* which looks at the stream's errors */
    qc_output_release(&out);
    return -1;
}

uint64_t qc_container_bytes(const QcContainer *c)
{
    uint64_t offset[QC_MAX_SECTIONS + 1];
    place(offset, c);
    return offset[c->n] + END;
}

/* ---- reading: from memory, or from a file piece by piece ---- */

enum { PIECE = 16384 };

typedef struct Source {
    const uint8_t *bytes;  /* NULL: in the file */
    const QcPieces *file;
    uint64_t length;
} Source;

static int copy_from(const Source *s, void *to, uint64_t at, size_t n, QcErr *err)
{
    if (s->file) return qc_pieces_read(s->file, to, at, n, err);
    memcpy(to, s->bytes + at, n);
    return 0;
}

typedef void (*SeeBytes)(void *ctx, const uint8_t *bytes, size_t n);

/* Shows the bytes from `at` to `end`, in as many calls as it takes. */
static int walk(const Source *s, uint64_t at, uint64_t end, SeeBytes see, void *ctx, QcErr *err)
{
    if (s->bytes) {
        see(ctx, s->bytes + at, end - at);
        return 0;
    }
    uint8_t piece[PIECE];
    for (size_t n; at < end; at += n) {
        n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (qc_pieces_read(s->file, piece, at, n, err)) return -1;
        see(ctx, piece, n);
    }
    return 0;
}

static void see_digest(void *digest, const uint8_t *bytes, size_t n) { qc_digest_add(digest, bytes, n); }
static void see_crc(void *crc, const uint8_t *bytes, size_t n)
{
    *(uint32_t *)crc = qc_crc32_more(*(uint32_t *)crc, bytes, n);
}

static void see_zero(void *is_zero, const uint8_t *bytes, size_t n)
{
    while (n--)
        if (*bytes++) *(int *)is_zero = 0;
}

static int is_zero(int *zero, const Source *s, uint64_t at, uint64_t end, QcErr *err)
{
    *zero = 1;
    return walk(s, at, end, see_zero, zero, err);
}

/* The bytes of section c->sections[c->n], checked; a file's bytes are copied unless they are to stay there. */
static int read_section(QcContainer *c, const Source *source, uint64_t offset, uint64_t length, uint32_t crc, int stays,
                        QcErr *err)
{
    QcSection *s = &c->sections[c->n];
    uint32_t sum = 0;
    s->length = length;
    s->offset = offset;
    if (source->bytes) {
        s->bytes = source->bytes + offset;
    } else if (!stays) {
        uint8_t *copy = qc_arena_take(&c->arena, length, 1, err);
        if (!copy || qc_pieces_read(source->file, copy, offset, length, err)) return -1;
        s->bytes = copy;
    }
    if (s->bytes) see_crc(&sum, s->bytes, length);
    else if (walk(source, offset, offset + length, see_crc, &sum, err)) return -1;
    return sum == crc ? 0 : qc_fail(err, QC_EFORMAT, "section '%s' is damaged (its checksum differs)", s->name);
}

/* One entry of the table; *at is where the section before it ended. */
static int read_entry(QcContainer *c, QcCursor *table, const Source *source, const char *stays, uint64_t *at,
                      QcErr *err)
{
    QcSection *s = &c->sections[c->n];
    char name[NAME + 1] = {0};
    int padded, known = 0;
    for (int i = 0; i < NAME; i++) name[i] = (char)qc_get_u8(table);
    for (size_t i = strlen(name); i < NAME; i++) known |= name[i];
    if (!is_name(name) || known) return qc_fail(err, QC_EFORMAT, "the table of sections holds a name that is none");
    *s = (QcSection){.flags = qc_get_u32(table)};
    memcpy(s->name, name, sizeof name);
    uint32_t crc = qc_get_u32(table);
    uint64_t offset = qc_get_u64(table), length = qc_get_u64(table), body = source->length - END;
    if (s->flags & ~(uint32_t)QC_SECTION_OPTIONAL)
        return qc_fail(err, QC_EFORMAT, "section '%s' has flags this version does not know", name);
    if (offset != aligned(*at)) return qc_fail(err, QC_EFORMAT, "section '%s' is not where it belongs", name);
    if (offset > body || length > body - offset)
        return qc_fail(err, QC_EFORMAT, "section '%s' reaches beyond the end of the file", name);
    if (is_zero(&padded, source, *at, offset, err)) return -1;
    if (!padded) return qc_fail(err, QC_EFORMAT, "the padding before section '%s' is not zero", name);
    *at = offset + length;
    return read_section(c, source, offset, length, crc, stays && !strcmp(stays, name), err);
}

/* The digest that the file carries, and the digest of its bytes. */
static int check_digest(QcContainer *c, const Source *source, const uint8_t *end, QcErr *err)
{
    QcDigest digest;
    uint8_t of_body[QC_DIGEST_BYTES];
    qc_digest_init(&digest);
    if (walk(source, 0, source->length - END, see_digest, &digest, err)) return -1;
    qc_digest_end(&digest, of_body);
    qc_digest_add(&digest, end, END);
    qc_digest_end(&digest, c->digest);
    return memcmp(of_body, end, sizeof of_body)
               ? qc_fail(err, QC_EFORMAT, "is damaged (its SHA-256 differs from the one it carries)")
               : 0;
}

static int decode(QcContainer *c, const Source *source, QcKind kind, const char *stays, QcErr *err)
{
    uint64_t length = source->length;
    if (!length) return qc_fail(err, QC_EFORMAT, "is empty");
    uint8_t front[HEADER + ENTRY * QC_MAX_SECTIONS], end[END];
    size_t begins = length < sizeof magic ? (size_t)length : sizeof magic;
    QcCursor head = {.bytes = front, .length = length < sizeof front ? (size_t)length : sizeof front, .at = begins};
    if (copy_from(source, front, 0, head.length, err)) return -1;
    if (memcmp(front, magic, begins))
        return qc_fail(err, QC_EFORMAT, "is not a qcore file (it does not begin with QCF1)");
    uint32_t file_kind = qc_get_u32(&head), version = qc_get_u32(&head), n = qc_get_u32(&head);
    uint64_t stated = qc_get_u64(&head);
    if (head.bad) return qc_fail(err, QC_EFORMAT, "is truncated: it ends within its header");
    if (version != VERSION)
        return qc_fail(err, QC_EFORMAT, "is of format version %u; this program reads version %d", version, VERSION);
    if (stated > length)
        return qc_fail(err, QC_EFORMAT, "is truncated: %llu bytes of %llu", (unsigned long long)length,
                       (unsigned long long)stated);
    if (stated < length)
        return qc_fail(err, QC_EFORMAT, "has %llu bytes after its end", (unsigned long long)(length - stated));
    if (n > QC_MAX_SECTIONS || length < aligned(HEADER + (uint64_t)ENTRY * n) + END)
        return qc_fail(err, QC_EFORMAT, "cannot have %u sections", n);

    uint64_t body = length - END, at = HEADER + (uint64_t)ENTRY * n;
    if (copy_from(source, end, body, END, err)) return -1;
    if (memcmp(end + QC_DIGEST_BYTES, end_mark, sizeof end_mark)) return qc_fail(err, QC_EFORMAT, "has no end mark");
    if (check_digest(c, source, end, err)) return -1;

    if (file_kind < QC_KIND_MODEL || file_kind > QC_KIND_CHECKPOINT)
        return qc_fail(err, QC_EFORMAT, "is of an unknown kind (%u)", file_kind);
    if (kind != QC_KIND_ANY && file_kind != (uint32_t)kind)
        return qc_fail(err, QC_EFORMAT, "is a %s file; a %s file is needed", qc_kind_name((QcKind)file_kind),
                       qc_kind_name(kind));
    c->kind = (QcKind)file_kind;
    c->length = length;
    for (c->n = 0; c->n < n; c->n++) {
        const char *name = c->sections[c->n].name;
        if (read_entry(c, &head, source, stays, &at, err)) return -1;
        if (index_of(c, name) >= 0) return qc_fail(err, QC_EFORMAT, "has two sections '%s'", name);
    }
    int rest;
    if (is_zero(&rest, source, at, body, err)) return -1;
    return aligned(at) == body && rest ? 0 : qc_fail(err, QC_EFORMAT, "has bytes that belong to no section");
}

int qc_container_decode(QcContainer *c, uint8_t *file, size_t length, QcKind kind, QcErr *err)
{
    Source source = {.bytes = file, .length = length};
    *c = (QcContainer){.file = file};
    int status = decode(c, &source, kind, NULL, err);
    if (status) qc_container_release(c);
    return status;
}

int qc_container_load(QcContainer *c, const char *path, QcKind kind, QcErr *err)
{
    uint8_t *file;
    size_t length;
    *c = (QcContainer){0};
    if (qc_read_marked(path, magic, sizeof magic, &file, &length, err)) return -1;
    return qc_container_decode(c, file, length, kind, err) ? qc_within(err, qc_input_name(path)) : 0;
}

int qc_container_open(QcContainer *c, const char *path, QcKind kind, const char *stays, QcErr *err)
{
    if (!qc_is_regular(path)) return qc_container_load(c, path, kind, err);
    *c = (QcContainer){.pieces = qc_pieces_open(path, err)};
    if (!c->pieces) return -1;
    Source source = {.file = c->pieces, .length = c->pieces->length};
    int status = decode(c, &source, kind, stays, err);
    if (status) qc_container_release(c);
    return status ? qc_within(err, path) : 0;
}

int qc_container_find(const QcContainer *c, const char *name, QcCursor *cursor)
{
    int i = index_of(c, name);
    *cursor = i < 0 ? (QcCursor){0} : (QcCursor){.bytes = c->sections[i].bytes, .length = c->sections[i].length};
    return i >= 0;
}

int qc_container_expect(const QcContainer *c, const char *const *known, QcErr *err)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const QcSection *s = &c->sections[i];
        if (s->flags & QC_SECTION_OPTIONAL) continue;
        const char *const *name = known;
        while (*name && strcmp(*name, s->name)) name++;
        if (!*name)
            return qc_fail(err, QC_EFORMAT,
                           "section '%s' is not known to this version, and the file says that it cannot be ignored",
                           s->name);
    }
    return 0;
}
