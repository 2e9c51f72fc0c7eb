#include "misslog.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"

static const char *const sections[] = {"misslog", "provenance", NULL};

int qc_miss_bits(uint8_t bits[QC_MISS_MAX_BITS], uint32_t *n_bits, const char *text, QcErr *err)
{
    unsigned seen = 0;
    *n_bits = 0;
    for (const char *at = text;; at++) {
        if (*at < '2' || *at > '8' || (at[1] && at[1] != ','))
            return qc_fail(err, QC_EUSAGE, "\"%.40s\" is not a list of bit-widths from 2 to 8, such as 2,3,4,8", text);
        if (seen & 1u << (*at - '0'))
            return qc_fail(err, QC_EUSAGE, "the bit-width %c is named twice in \"%.40s\"", *at, text);
        seen |= 1u << (*at - '0');
        bits[(*n_bits)++] = (uint8_t)(*at - '0');
        if (!*++at) return 0;
    }
}

static int take_arrays(QcMissLog *log, QcErr *err)
{
    size_t cells = (size_t)log->n * log->n_bits;
    log->misses = qc_arena_take(&log->arena, cells, sizeof *log->misses, err);
    log->last = qc_arena_take(&log->arena, cells, sizeof *log->last, err);
    log->id = qc_arena_take(&log->arena, log->n, sizeof *log->id, err);
    return log->misses && log->last && log->id ? 0 : -1;
}

int qc_misslog_init(QcMissLog *log, const uint64_t *ids, uint32_t n, const uint8_t *bits, uint32_t n_bits, QcErr *err)
{
    *log = (QcMissLog){.n = n, .n_bits = n_bits};
    if (!n_bits || n_bits > QC_MISS_MAX_BITS)
        return qc_fail(err, QC_EUSAGE, "a miss log needs 1 to %d bit-widths, not %u", QC_MISS_MAX_BITS, n_bits);
    if (take_arrays(log, err)) {
        qc_misslog_release(log);
        return -1;
    }
    memcpy(log->bits, bits, n_bits);
    memcpy(log->id, ids, n * sizeof *ids);
    return 0;
}

int qc_misslog_begin(QcMissLog *log, const QcDataset *data, const char *bits, QcErr *err)
{
    uint8_t list[QC_MISS_MAX_BITS];
    uint32_t n;
    return qc_miss_bits(list, &n, bits, err) || qc_misslog_init(log, data->id, data->n, list, n, err) ? -1 : 0;
}

void qc_misslog_release(QcMissLog *log)
{
    if (!log) return;
    qc_arena_release(&log->arena);
    *log = (QcMissLog){0};
}

void qc_misslog_observe(QcMissLog *log, uint32_t bits_index, const uint8_t *right)
{
    uint32_t *misses = log->misses + (size_t)bits_index * log->n;
    uint8_t *last = log->last + (size_t)bits_index * log->n;
    for (uint32_t i = 0; i < log->n; i++) {
        uint8_t now = right[i] != 0;
        misses[i] += last[i] && !now; /* before the first observation `last` is 0: nothing can be lost yet */
        last[i] = now;
    }
    log->observations[bits_index]++;
}

static uint32_t index_of(const QcMissLog *log, uint8_t bits)
{
    uint32_t b = 0;
    while (b < log->n_bits && log->bits[b] != bits) b++;
    return b;
}

int qc_misslog_keep(QcMissLog *log, const uint8_t *bits, uint32_t n_bits, QcErr *err)
{
    char known[2 * QC_MISS_MAX_BITS + 1] = "";
    for (uint32_t b = 0; b < log->n_bits; b++) {
        known[2 * b] = (char)('0' + log->bits[b]);
        known[2 * b + 1] = b + 1 < log->n_bits ? ',' : 0;
    }
    for (uint32_t k = 0; k < n_bits; k++)
        if (index_of(log, bits[k]) == log->n_bits)
            return qc_fail(err, QC_EUSAGE, "the miss log has no misses at %u bits (it has them at %s)", bits[k], known);
    uint32_t kept = 0;
    for (uint32_t b = 0; b < log->n_bits; b++) {
        if (!memchr(bits, log->bits[b], n_bits)) continue;
        memmove(log->misses + (size_t)kept * log->n, log->misses + (size_t)b * log->n, log->n * sizeof *log->misses);
        memmove(log->last + (size_t)kept * log->n, log->last + (size_t)b * log->n, log->n);
        log->observations[kept] = log->observations[b];
        log->bits[kept++] = log->bits[b];
    }
    log->n_bits = kept;
    return 0;
}

uint32_t qc_misslog_total(const QcMissLog *log, uint32_t i)
{
    uint32_t total = 0;
    for (uint32_t b = 0; b < log->n_bits; b++) total += log->misses[(size_t)b * log->n + i];
    return total;
}

uint32_t qc_misslog_missed(const QcMissLog *log)
{
    uint32_t missed = 0;
    for (uint32_t i = 0; i < log->n; i++) missed += qc_misslog_total(log, i) > 0;
    return missed;
}

int qc_misslog_never_right(const QcMissLog *log, uint32_t i)
{
    uint32_t looks = 0;
    for (uint32_t b = 0; b < log->n_bits; b++) {
        size_t cell = (size_t)b * log->n + i;
        if (log->misses[cell] || log->last[cell]) return 0; /* once right, an example is right still or was missed */
        looks |= log->observations[b];
    }
    return looks != 0;
}

void qc_misslog_put(QcWriter *w, const QcMissLog *log)
{
    size_t cells = (size_t)log->n * log->n_bits;
    qc_put_u32(w, log->n);
    qc_put_u32(w, log->n_bits);
    for (uint32_t b = 0; b < log->n_bits; b++) {
        qc_put_u8(w, log->bits[b]);
        qc_put_u32(w, log->observations[b]);
    }
    qc_put_u64s(w, log->id, log->n);
    qc_put_u32s(w, log->misses, cells);
    qc_put_bytes(w, log->last, cells);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int check_ids(const QcMissLog *log, QcErr *err)
{
    uint64_t *sorted = malloc(log->n * sizeof *sorted + 1);
    if (!sorted) return qc_fail_memory(err, "a miss log");
    memcpy(sorted, log->id, log->n * sizeof *sorted);
    qsort(sorted, log->n, sizeof *sorted, by_id);
    int status = 0;
    for (uint32_t i = 1; i < log->n && !status; i++)
        if (sorted[i] == sorted[i - 1])
            status =
                qc_fail(err, QC_EFORMAT, "the miss log has two examples of id %llu", (unsigned long long)sorted[i]);
    free(sorted);
    return status;
}

/* What no sequence of observations can lead to is refused. */
static int check_counts(const QcMissLog *log, QcErr *err)
{
    for (uint32_t b = 0; b < log->n_bits; b++) {
        for (uint32_t i = 0; i < log->n; i++) {
            size_t cell = (size_t)b * log->n + i;
            unsigned long long id = log->id[i];
            uint32_t misses = log->misses[cell], looks = log->observations[b];
            if (log->last[cell] > (looks > 0))
                return qc_fail(err, QC_EFORMAT, "the mark of example %llu at %u bits in the miss log is wrong", id,
                               log->bits[b]);
            if (misses > (looks - log->last[cell]) / 2) /* each miss takes a right and a wrong observation */
                return qc_fail(err, QC_EFORMAT,
                               "the miss log gives example %llu %u misses at %u bits in %u observations", id, misses,
                               log->bits[b], looks);
        }
    }
    return 0;
}

static int get_fields(QcMissLog *log, QcCursor *c, QcErr *err)
{
    log->n = qc_get_count(c, sizeof *log->id + 5);
    log->n_bits = qc_get_u32(c);
    if (!c->bad && (!log->n_bits || log->n_bits > QC_MISS_MAX_BITS))
        return qc_fail(err, QC_EFORMAT, "the miss log has %u bit-widths, expected 1 to %d", log->n_bits,
                       QC_MISS_MAX_BITS);
    unsigned seen = 0;
    for (uint32_t b = 0; b < log->n_bits && !c->bad; b++) {
        log->bits[b] = qc_get_u8(c);
        log->observations[b] = qc_get_u32(c);
        if (!c->bad && (log->bits[b] < 2 || log->bits[b] > 8 || seen & 1u << log->bits[b]))
            return qc_fail(err, QC_EFORMAT, "the miss log has a bit-width %u that is out of range or there twice",
                           log->bits[b]);
        seen |= 1u << (log->bits[b] & 31);
    }
    size_t cells = (size_t)log->n * log->n_bits;
    if (!c->bad) log->id = qc_get_u64s(c, log->n, &log->arena);
    if (!c->bad) log->misses = qc_get_u32s(c, cells, &log->arena);
    if (!c->bad) log->last = qc_get_bytes(c, cells, &log->arena);
    if (c->bad) return qc_fail(err, QC_EFORMAT, "the miss log is truncated");
    return check_ids(log, err) || check_counts(log, err) ? -1 : 0;
}

int qc_misslog_get(QcMissLog *log, QcCursor *c, QcErr *err)
{
    *log = (QcMissLog){0};
    if (!get_fields(log, c, err)) return 0;
    qc_misslog_release(log);
    return -1;
}

int qc_misslog_save(const QcMissLog *log, const char *path, QcErr *err)
{
    QcContainer file;
    QcWriter counts = {0}, history = {0};
    qc_container_init(&file, QC_KIND_MISSLOG);
    qc_misslog_put(&counts, log);
    qc_provenance_encode(&history, &log->provenance);
    int status = qc_container_add(&file, "misslog", 0, &counts, err) ||
                         qc_container_add(&file, "provenance", QC_SECTION_OPTIONAL, &history, err) ||
                         qc_container_save(&file, path, err)
                     ? -1
                     : 0;
    qc_writer_release(&counts);
    qc_writer_release(&history);
    qc_container_release(&file);
    return status;
}

static int get_file(QcMissLog *log, const QcContainer *file, QcErr *err)
{
    QcCursor cursor;
    if (qc_container_expect(file, sections, err)) return -1;
    if (!qc_container_find(file, "misslog", &cursor)) return qc_fail(err, QC_EFORMAT, "has no section 'misslog'");
    if (qc_misslog_get(log, &cursor, err) || qc_cursor_end(&cursor, "section 'misslog'", err)) return -1;
    if (!qc_container_find(file, "provenance", &cursor)) return 0;
    return qc_provenance_decode(&log->provenance, &cursor, &log->arena, err);
}

int qc_misslog_load(QcMissLog *log, const char *path, QcErr *err)
{
    QcContainer file;
    *log = (QcMissLog){0};
    if (qc_container_load(&file, path, QC_KIND_MISSLOG, err)) return -1;
    int status = get_file(log, &file, err);
    memcpy(log->digest, file.digest, sizeof log->digest);
    qc_container_release(&file);
    if (status) {
        qc_misslog_release(log);
        qc_within(err, qc_input_name(path));
    }
    return status;
}
