#include "statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/crc32.h"
#include "../base/file.h"
#include "../base/lockedfile.h"
#include "parametertable.h"
#include "spareclasses.h"

enum { BLOCK = 4096 };
enum { AT_MODEL = 16, AT_CORESET = 24, AT_SETTINGS = 32, AT_NAMES = 64 }; /* in the first block, after the mark;
                                                                             numbers are big-endian */
static const char mark[16] = "qcore state 1\n";

/* ---- whose state it is ---- */

static void write_number(uint8_t *bytes, uint64_t number)
{
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> (56 - 8 * i));
}

QcStateOwner qc_stateowner_of(const char *session, uint64_t seed, const QcParameters *parameters,
                              const uint8_t model[QC_DIGEST_BYTES], const uint8_t coreset[QC_DIGEST_BYTES])
{
    QcStateOwner o = {.model = qc_digest_first(model), .coreset = qc_digest_first(coreset)};
    QcDigest d;
    char text[64];
    qc_digest_init(&d);
    qc_digest_add(&d, text, (size_t)snprintf(text, sizeof text, "%.30s %" PRIu64 " ", session, seed));
    qc_parameters_digest(&d, parameters);
    o.settings = qc_digest_number(&d);
    qc_digest_add(&d, model, QC_DIGEST_BYTES);
    qc_digest_add(&d, coreset, QC_DIGEST_BYTES);
    o.identity = qc_digest_number(&d);
    return o;
}

/* ---- a file with flash semantics: what was never written reads as ones ---- */

static int note_error(QcStateFile *f, int error)
{
    f->error = error;
    return -1;
}

static int file_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    const QcStatePart *part = ctx;
    uint8_t *bytes = to;
    while (n > 0) {
        ssize_t got = pread(part->file->file, bytes, n, (off_t)(part->from + at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return note_error(part->file, errno);
        if (got == 0) {
            memset(bytes, 0xff, n);
            return 0;
        }
        bytes += got;
        at += (uint32_t)got;
        n -= (uint32_t)got;
    }
    return 0;
}

static int file_program(void *ctx, uint32_t at, const void *from, uint32_t n)
{
    const QcStatePart *part = ctx;
    const uint8_t *bytes = from;
    while (n > 0) {
        ssize_t put = pwrite(part->file->file, bytes, n, (off_t)(part->from + at));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return note_error(part->file, put ? errno : ENOSPC);
        bytes += put;
        at += (uint32_t)put;
        n -= (uint32_t)put;
    }
    return 0;
}

static int file_erase(void *ctx, uint32_t at)
{
    uint8_t ones[BLOCK];
    memset(ones, 0xff, sizeof ones);
    return file_program(ctx, at, ones, sizeof ones);
}

static int file_sync(void *ctx)
{
    const QcStatePart *part = ctx;
    return fdatasync(part->file->file) ? note_error(part->file, errno) : 0;
}

/* ---- the file ---- */

/* 1: a new file, or the remains of one whose first block was not written. */
static int is_blank(int file, uint64_t size)
{
    uint8_t block[BLOCK];
    if (size > BLOCK || pread(file, block, (size_t)size, 0) != (ssize_t)size) return 0;
    for (uint64_t i = 0; i < size; i++)
        if (block[i]) return 0;
    return 1;
}

static int write_mark(const QcStateFile *f, QcErr *err)
{
    uint8_t block[BLOCK] = {0};
    memcpy(block, mark, sizeof mark);
    write_number(block + AT_MODEL, f->owner.model);
    write_number(block + AT_CORESET, f->owner.coreset);
    write_number(block + AT_SETTINGS, f->owner.settings);
    ssize_t put = pwrite(f->file, block, sizeof block, 0);
    if (put != (ssize_t)sizeof block || fsync(f->file))
        return qc_fail(err, QC_EIO, "cannot be written: %s", strerror(put < 0 || put == BLOCK ? errno : ENOSPC));
    qc_sync_folder(f->path);
    return 0;
}

static int check_mark(const QcStateFile *f, QcErr *err)
{
    char there[sizeof mark];
    if (pread(f->file, there, sizeof there, 0) == (ssize_t)sizeof there && !memcmp(there, mark, sizeof mark)) return 0;
    return qc_fail(err, QC_EFORMAT, "is no device state; it is left as it is");
}

static void make_part(QcStatePart *part, QcStateFile *f, uint64_t from, uint32_t slot)
{
    *part = (QcStatePart){.file = f, .from = from};
    part->flash = (QcFlash){part,     slot,      BLOCK,        QC_STATE_PAGE_MAX,
                            file_read, file_erase, file_program, file_sync};
    qc_state_init(&part->state, &part->flash, f->owner.identity);
}

int qc_statefile_open(QcStateFile *f, const char *path, const QcLearner *l, const QcStateOwner *owner, QcErr *err)
{
    uint64_t size, slot = (qc_state_bytes(l->state_bytes, QC_STATE_PAGE_MAX) + BLOCK - 1) / BLOCK * BLOCK;
    *f = (QcStateFile){.path = path, .owner = *owner};
    if (slot > UINT32_MAX / 2)
        return qc_fail(err, QC_EUNSUPPORTED, "a state of %llu bytes is too large", (unsigned long long)slot);
    f->file = qc_lockedfile_open(path, &size, err);
    f->is_open = f->file >= 0;
    if (!f->is_open) return qc_within(err, path);
    int blank = is_blank(f->file, size), status = blank ? write_mark(f, err) : check_mark(f, err);
    f->was_there = !blank && size != BLOCK;
    make_part(&f->latest, f, BLOCK, (uint32_t)slot);
    make_part(&f->before, f, BLOCK + 2 * slot, (uint32_t)slot);
    if (!status) return 0;
    qc_statefile_close(f);
    return qc_within(err, path);
}

static int differs(const uint8_t *bytes, uint64_t number)
{
    uint64_t there = qc_digest_first(bytes);
    return there && there != number;
}

/* What of the file's owner is not the caller's; NULL: nothing, or the file does not say. */
static const char *other_owner(const QcStateFile *f)
{
    uint8_t block[AT_SETTINGS + 8];
    if (pread(f->file, block, sizeof block, 0) != (ssize_t)sizeof block) return NULL;
    if (differs(block + AT_MODEL, f->owner.model)) return "model";
    if (differs(block + AT_CORESET, f->owner.coreset)) return "coreset";
    return differs(block + AT_SETTINGS, f->owner.settings) ? "method, seed or parameters" : NULL;
}

static int load(QcStatePart *part, QcLearner *l, QcErr *err)
{
    QcStateFile *f = part->file;
    f->error = 0;
    switch (qc_state_load(&part->state, l)) {
    case QC_STATE_LOADED: return 1;
    case QC_STATE_NONE: return 0;
    case QC_STATE_FOREIGN:
        return qc_fail(err, QC_EFORMAT, "the state is of another model, coreset, parameters or version of qcore");
    case QC_STATE_BROKEN: break;
    }
    if (f->error) return qc_fail(err, QC_EIO, "the state cannot be read: %s", strerror(f->error));
    return qc_fail(err, QC_EFORMAT, "the state has values out of range, though its checksums are right");
}

int qc_statefile_load(QcStateFile *f, QcLearner *l, QcErr *err)
{
    const char *other = other_owner(f);
    if (other) return qc_fail(err, QC_EFORMAT, "the state was made with another %s", other);
    return load(&f->latest, l, err);
}

/* ---- names of new classes ---- */

/* A name: its length in two bytes, its characters, a CRC-32 of both and of its place. After the last one come zeros. */
static uint32_t name_crc(const uint8_t *at, size_t n, uint32_t place)
{
    return qc_crc32_add(place, at, n);
}

void qc_statefile_read_names(QcModelFile *m, const char *path)
{
    uint8_t block[BLOCK];
    uint32_t at = AT_NAMES, crc;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe is refused later */
    ssize_t got = file < 0 ? 0 : pread(file, block, sizeof block, 0);
    if (file >= 0) close(file);
    if (got != (ssize_t)sizeof block || memcmp(block, mark, sizeof mark)) return;
    for (uint32_t place = 0; at + 2 < BLOCK; place++) {
        size_t length = block[at] | (size_t)block[at + 1] << 8;
        if (!length || at + 2 + length + sizeof crc > BLOCK) break;
        memcpy(&crc, block + at + 2 + length, sizeof crc);
        if (crc != name_crc(block + at, 2 + length, place)) break; /* torn: no state knows it */
        if (qc_class_of_label(m, (const char *)block + at + 2, length, 1) < 0) break; /* more than the model has */
        at += (uint32_t)(2 + length + sizeof crc);
    }
}

int qc_statefile_check_names(const QcLearner *l, uint32_t named, QcErr *err)
{
    uint32_t learned = qc_learner_classes(l);
    if (learned <= named) return 0;
    return qc_fail(err, QC_EFORMAT, "the state has learned %" PRIu32 " classes and has whole names of %" PRIu32
                   ": its file is damaged", learned, named);
}

int qc_statefile_write_names(QcStateFile *f, const QcModelFile *m, uint32_t first, QcErr *err)
{
    uint8_t block[BLOCK] = {0};
    uint32_t at = AT_NAMES;
    for (uint32_t k = first; k < qc_named_classes(m); k++) {
        size_t length = strlen(m->labels[k]);
        uint32_t crc;
        if (at + 2 + length + sizeof crc > BLOCK)
            return qc_fail(err, QC_EUNSUPPORTED, "%s: the names of new classes are longer than a state can hold",
                           f->path);
        block[at] = (uint8_t)length;
        block[at + 1] = (uint8_t)(length >> 8);
        memcpy(block + at + 2, m->labels[k], length);
        crc = name_crc(block + at, 2 + length, k - first);
        memcpy(block + at + 2 + length, &crc, sizeof crc);
        at += (uint32_t)(2 + length + sizeof crc);
    }
    if (at == AT_NAMES) return 0;
    if (pwrite(f->file, block + AT_NAMES, at - AT_NAMES, AT_NAMES) == (ssize_t)(at - AT_NAMES) && !fdatasync(f->file))
        return 0;
    return qc_fail(err, QC_EIO, "%s: the names of new classes cannot be written: %s", f->path, strerror(errno));
}

static int save(QcStatePart *part, const QcLearner *l, QcErr *err)
{
    QcStateFile *f = part->file;
    f->error = 0;
    if (!qc_state_save(&part->state, l)) return 0;
    return qc_fail(err, QC_EIO, "%s: the state cannot be written: %s", f->path,
                   f->error ? strerror(f->error) : "it does not read back as it was written");
}

int qc_statefile_save(QcStateFile *f, const QcLearner *l, QcErr *err) { return save(&f->latest, l, err); }

/* ---- undo ---- */

/* Always the first slot, with the number of the state that it is: an adapt that is repeated after a kill writes the
 * same bytes. */
int qc_statefile_save_before(QcStateFile *f, const QcLearner *l, void *before, QcErr *err)
{
    QcLearner earlier = *l;
    earlier.state = before;
    f->before.state.sequence = f->latest.state.sequence - 1;
    f->before.state.newest = 1;
    f->before.state.known = 1;
    return save(&f->before, &earlier, err);
}

int qc_statefile_load_before(QcStateFile *f, QcLearner *l, QcErr *err)
{
    int found = load(&f->before, l, err);
    return found < 0 ? qc_within(err, f->path) : found;
}

int qc_statefile_drop_before(QcStateFile *f, QcErr *err)
{
    if (!file_erase(&f->before, 0) && !file_sync(&f->before)) return 0;
    return qc_fail(err, QC_EIO, "%s: the state cannot be written: %s", f->path, strerror(f->error));
}

void qc_statefile_close(QcStateFile *f)
{
    if (f->is_open) close(f->file);
    *f = (QcStateFile){0};
}
