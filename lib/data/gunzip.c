#include "gunzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/file.h"
#include "inflate.h"

typedef struct Grown {
    uint8_t *at;
    uint64_t length, room, limit;
} Grown;

static int make_room(Grown *out, const char *name, uint64_t compressed, QcErr *err)
{
    if (out->length < out->room) return 0;
    uint64_t room = out->room ? out->room * 2 : 1 << 16;
    if (out->length >= out->limit) return qc_inflate_check(name, compressed, out->limit + 1, err);
    if (room > out->limit) room = out->limit;
    uint8_t *larger = realloc(out->at, room);
    if (!larger) return qc_fail_memory(err, name);
    out->at = larger;
    out->room = room;
    return 0;
}

/* zlib counts in 32 bits: pieces of at most 2^30 bytes. */
static uInt piece(uint64_t n) { return n > 1u << 30 ? 1u << 30 : (uInt)n; }

static int inflate_all(Grown *out, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    z_stream z = {0};
    uint64_t used = 0;
    if (inflateInit2(&z, 15 + 16) != Z_OK) return qc_fail_memory(err, name);
    int status = 0, code = Z_OK;
    while (!status && used < length) {
        status = make_room(out, name, length, err);
        if (status) break;
        z.next_in = (Bytef *)bytes + used;
        z.avail_in = piece(length - used);
        z.next_out = out->at + out->length;
        z.avail_out = piece(out->room - out->length);
        uInt in = z.avail_in, room = z.avail_out;
        code = inflate(&z, Z_NO_FLUSH);
        used += in - z.avail_in;
        out->length += room - z.avail_out;
        if (code == Z_STREAM_END && used < length) { /* another member, or zeros that fill up a block */
            if (!bytes[used]) break;
            inflateReset(&z);
        } else if (code != Z_OK && code != Z_STREAM_END) break;
        if (code == Z_OK && used == length && z.avail_out) break;
    }
    /* the input may end before the output is complete: continue until the stream ends or nothing changes */
    while (!status && code == Z_OK && used == length) {
        status = make_room(out, name, length, err);
        if (status) break;
        z.next_out = out->at + out->length;
        z.avail_out = piece(out->room - out->length);
        uInt room = z.avail_out;
        code = inflate(&z, Z_NO_FLUSH);
        out->length += room - z.avail_out;
        if (room == z.avail_out) break;
    }
    inflateEnd(&z);
    if (!status && code != Z_STREAM_END) return qc_fail(err, QC_EFORMAT, "%.300s is damaged or cut off (gzip)", name);
    return status;
}

int qc_gunzip_view(QcInputView *v, const char *path, QcErr *err)
{
    if (qc_inputview_open(v, path, err)) return -1;
    if (v->length < 2 || v->bytes[0] != 0x1f || v->bytes[1] != 0x8b) return 0;
    Grown out = {.limit = qc_inflate_limit(v->length)};
    int status = inflate_all(&out, v->bytes, v->length, qc_input_name(path), err);
    qc_inputview_close(v);
    if (status) free(out.at);
    else qc_inputview_own(v, out.at, out.length);
    return status;
}
