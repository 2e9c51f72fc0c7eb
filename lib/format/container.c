#include "container.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"

enum { VERSION = 1, ALIGN = 64, HEADER = 24, ENTRY = 40, NAME = 16, END = QC_DIGEST_BYTES + 8 };
static const char magic[4] = {'Q', 'C', 'F', '1'};
static const char end_mark[8] = {'Q', 'C', 'F', '1', 'E', 'N', 'D', '\n'};

const char *qc_kind_name(QcKind kind)
{
    static const char *const names[] = {"any", "model", "data", "miss log", "checkpoint"};
    return kind <= QC_KIND_CHECKPOINT ? names[kind] : "unknown";
}

static uint64_t aligned(uint64_t at) { return (at + ALIGN - 1) / ALIGN * ALIGN; }

/* Names are ASCII words, so that they can be compared, printed and looked up without further thought. */
static int is_name(const char *name)
{
    size_t n = strlen(name);
    return n && n <= NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n;
}

void qc_container_init(QcContainer *c, QcKind kind) { *c = (QcContainer){.kind = kind}; }

void qc_container_release(QcContainer *c)
{
    if (!c) return;
    qc_arena_release(&c->arena);
    free(c->file);
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
    if (!status && i < 0 && c->n == QC_MAX_SECTIONS) status = qc_fail(err, QC_EFAIL, "a file has at most %d sections", QC_MAX_SECTIONS);
    if (!status && !is_name(name)) status = qc_fail(err, QC_EFAIL, "'%s' cannot be the name of a section", name);
    uint8_t *copy = status ? NULL : qc_arena_take(&c->arena, w->length, 1, err);
    if (copy) {
        if (w->length) memcpy(copy, w->bytes, w->length);
        if (i < 0) i = (int)c->n++;
        QcSection *s = &c->sections[i];
        *s = (QcSection){.flags = flags, .bytes = copy, .length = w->length};
        memcpy(s->name, name, strlen(name));
    }
    qc_writer_release(w);
    return copy ? 0 : -1;
}

void qc_container_remove(QcContainer *c, const char *name)
{
    int i = index_of(c, name);
    if (i < 0) return;
    memmove(&c->sections[i], &c->sections[i + 1], (c->n - 1 - (uint32_t)i) * sizeof c->sections[0]);
    c->n--;
}

int qc_container_encode(const QcContainer *c, QcWriter *w, QcErr *err)
{
    static const uint8_t zeros[ALIGN];
    uint64_t offset[QC_MAX_SECTIONS + 1];
    offset[0] = aligned(HEADER + (uint64_t)ENTRY * c->n);
    for (uint32_t i = 0; i < c->n; i++) offset[i + 1] = aligned(offset[i] + c->sections[i].length);

    size_t start = w->length; /* offsets count from here */
    qc_put_bytes(w, magic, sizeof magic);
    qc_put_u32(w, c->kind);
    qc_put_u32(w, VERSION);
    qc_put_u32(w, c->n);
    qc_put_u64(w, offset[c->n] + END);
    for (uint32_t i = 0; i < c->n; i++) {
        const QcSection *s = &c->sections[i];
        qc_put_bytes(w, s->name, NAME);
        qc_put_u32(w, s->flags);
        qc_put_u32(w, qc_crc32(s->bytes, s->length));
        qc_put_u64(w, offset[i]);
        qc_put_u64(w, s->length);
    }
    for (uint32_t i = 0; i < c->n; i++) {
        qc_put_bytes(w, zeros, offset[i] - (w->length - start));
        qc_put_bytes(w, c->sections[i].bytes, c->sections[i].length);
        if (w->bad) break;
    }
    if (!w->bad) qc_put_bytes(w, zeros, offset[c->n] - (w->length - start));
    if (qc_writer_check(w, err)) return -1;
    uint8_t digest[QC_DIGEST_BYTES];
    qc_digest(digest, w->bytes + start, w->length - start);
    qc_put_bytes(w, digest, sizeof digest);
    qc_put_bytes(w, end_mark, sizeof end_mark);
    return qc_writer_check(w, err);
}

int qc_container_save(const QcContainer *c, const char *path, QcErr *err)
{
    QcWriter w = {0};
    int status = qc_container_encode(c, &w, err);
    if (!status) status = qc_write_all(path, w.bytes, w.length, err);
    qc_writer_release(&w);
    return status;
}

static int all_zero(const uint8_t *bytes, uint64_t n)
{
    while (n--)
        if (*bytes++) return 0;
    return 1;
}

/* One entry of the table; *at is where the section before it ended. */
static int read_entry(QcSection *s, QcCursor *table, const uint8_t *file, uint64_t body, uint64_t *at, QcErr *err)
{
    char name[NAME + 1] = {0};
    for (int i = 0; i < NAME; i++) name[i] = (char)qc_get_u8(table);
    if (!is_name(name) || !all_zero((uint8_t *)name + strlen(name), NAME - strlen(name)))
        return qc_fail(err, QC_EFORMAT, "the table of sections holds a name that is none");
    *s = (QcSection){.flags = qc_get_u32(table)};
    memcpy(s->name, name, sizeof name);
    uint32_t crc = qc_get_u32(table);
    uint64_t offset = qc_get_u64(table), length = qc_get_u64(table);
    if (s->flags & ~(uint32_t)QC_SECTION_OPTIONAL) return qc_fail(err, QC_EFORMAT, "section '%s' has flags this version does not know", name);
    if (offset != aligned(*at)) return qc_fail(err, QC_EFORMAT, "section '%s' is not where it belongs", name);
    if (offset > body || length > body - offset) return qc_fail(err, QC_EFORMAT, "section '%s' reaches beyond the end of the file", name);
    if (!all_zero(file + *at, offset - *at)) return qc_fail(err, QC_EFORMAT, "the padding before section '%s' is not zero", name);
    if (qc_crc32(file + offset, length) != crc) return qc_fail(err, QC_EFORMAT, "section '%s' is damaged (its checksum differs)", name);
    s->bytes = file + offset;
    s->length = length;
    *at = offset + length;
    return 0;
}

static int decode(QcContainer *c, const uint8_t *file, size_t length, QcKind kind, QcErr *err)
{
    if (!length) return qc_fail(err, QC_EFORMAT, "is empty");
    size_t begins = length < sizeof magic ? length : sizeof magic;
    if (memcmp(file, magic, begins)) return qc_fail(err, QC_EFORMAT, "is not a qcore file (it does not begin with QCF1)");
    QcCursor head = {.bytes = file, .length = length, .at = begins};
    uint32_t file_kind = qc_get_u32(&head), version = qc_get_u32(&head), n = qc_get_u32(&head);
    uint64_t told = qc_get_u64(&head);
    if (head.bad) return qc_fail(err, QC_EFORMAT, "is truncated: it ends within its header");
    if (version != VERSION) return qc_fail(err, QC_EFORMAT, "is of format version %u; this program reads version %d", version, VERSION);
    if (told > length) return qc_fail(err, QC_EFORMAT, "is truncated: %zu bytes of %llu", length, (unsigned long long)told);
    if (told < length) return qc_fail(err, QC_EFORMAT, "has %llu bytes behind its end", (unsigned long long)(length - told));
    if (n > QC_MAX_SECTIONS || length < aligned(HEADER + (uint64_t)ENTRY * n) + END) return qc_fail(err, QC_EFORMAT, "cannot have %u sections", n);

    uint64_t body = length - END, at = HEADER + (uint64_t)ENTRY * n;
    if (memcmp(file + body + QC_DIGEST_BYTES, end_mark, sizeof end_mark)) return qc_fail(err, QC_EFORMAT, "has no end mark");
    QcDigest digest;
    qc_digest_init(&digest);
    qc_digest_add(&digest, file, body);
    uint8_t of_body[QC_DIGEST_BYTES];
    qc_digest_end(&digest, of_body);
    qc_digest_add(&digest, file + body, END);
    qc_digest_end(&digest, c->digest);
    if (memcmp(of_body, file + body, sizeof of_body)) return qc_fail(err, QC_EFORMAT, "is damaged (its SHA-256 differs from the one it carries)");

    if (file_kind < QC_KIND_MODEL || file_kind > QC_KIND_CHECKPOINT) return qc_fail(err, QC_EFORMAT, "is of an unknown kind (%u)", file_kind);
    if (kind != QC_KIND_ANY && file_kind != (uint32_t)kind)
        return qc_fail(err, QC_EFORMAT, "is a %s file; a %s file is needed", qc_kind_name((QcKind)file_kind), qc_kind_name(kind));
    c->kind = (QcKind)file_kind;
    for (c->n = 0; c->n < n; c->n++) {
        QcSection *s = &c->sections[c->n];
        if (read_entry(s, &head, file, body, &at, err)) return -1;
        if (index_of(c, s->name) >= 0) return qc_fail(err, QC_EFORMAT, "has two sections '%s'", s->name);
    }
    if (aligned(at) != body || !all_zero(file + at, body - at)) return qc_fail(err, QC_EFORMAT, "has bytes that belong to no section");
    return 0;
}

int qc_container_decode(QcContainer *c, uint8_t *file, size_t length, QcKind kind, QcErr *err)
{
    *c = (QcContainer){.file = file};
    int status = decode(c, file, length, kind, err);
    if (status) qc_container_release(c);
    return status;
}

int qc_container_load(QcContainer *c, const char *path, QcKind kind, QcErr *err)
{
    uint8_t *file;
    size_t length;
    *c = (QcContainer){0};
    if (qc_read_all(path, &file, &length, err)) return -1;
    return qc_container_decode(c, file, length, kind, err) ? qc_within(err, qc_input_name(path)) : 0;
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
        if (!*name) return qc_fail(err, QC_EFORMAT, "section '%s' is not known to this version, and the file says that it cannot be ignored", s->name);
    }
    return 0;
}
