#include "onnxproto.h"

#include <string.h>

enum { MAX_DEPTH = 24 }; /* of messages in messages: a model needs about ten */

/* ---- the shape of the bytes, before anything is allocated ---- */

typedef struct Bytes {
    const uint8_t *at, *end;
} Bytes;

static int get_varint(Bytes *b, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && b->at < b->end; shift += 7) {
        uint8_t byte = *b->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return 1;
    }
    return 0;
}

static int skip(Bytes *b, uint64_t n)
{
    if (n > (uint64_t)(b->end - b->at)) return 0;
    b->at += n;
    return 1;
}

/* 1 if the bytes are fields of such a message, nest no deeper than `depth`, and hold no text with a zero byte. */
static int is_message(Bytes b, const ProtobufCMessageDescriptor *about, int depth)
{
    enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
    while (b.at < b.end) {
        uint64_t tag, n;
        if (!get_varint(&b, &tag) || !(tag >> 3) || tag >> 32) return 0;
        switch (tag & 7) {
        case VARINT:
            if (!get_varint(&b, &n)) return 0;
            break;
        case FIXED64:
            if (!skip(&b, 8)) return 0;
            break;
        case FIXED32:
            if (!skip(&b, 4)) return 0;
            break;
        case BYTES: {
            if (!get_varint(&b, &n) || n > (uint64_t)(b.end - b.at)) return 0;
            const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field(about, (unsigned)(tag >> 3));
            /* a text with a zero byte would be read as a shorter name */
            if (field && field->type == PROTOBUF_C_TYPE_STRING && memchr(b.at, 0, n)) return 0;
            if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
                (!depth || !is_message((Bytes){b.at, b.at + n}, field->descriptor, depth - 1)))
                return 0;
            b.at += n;
            break;
        }
        default: return 0;
        }
    }
    return 1;
}

/* ---- unpacking into an arena, with an end ---- */

typedef struct Room {
    QcArena *arena;
    size_t most; /* bytes that may be taken */
    QcErr *err;
    int full;
} Room;

static void *take(void *ctx, size_t size)
{
    Room *room = ctx;
    if (size > room->most || room->arena->bytes > room->most - size) {
        room->full = 1;
        return NULL;
    }
    return qc_arena_take(room->arena, 1, size, room->err);
}

static void leave(void *ctx, void *memory) /* the arena frees it with the rest */
{
    (void)ctx, (void)memory;
}

const Onnx__ModelProto *qc_onnx_unpack(const uint8_t *bytes, size_t length, QcArena *arena, QcErr *err)
{
    QcErr out = {0};
    if (!length) return qc_fail(err, QC_EFORMAT, "the file is empty"), NULL;
    if (!is_message((Bytes){bytes, bytes + length}, &onnx__model_proto__descriptor, MAX_DEPTH))
        return qc_fail(err, QC_EFORMAT,
                       "this is no ONNX model, or a damaged one: its bytes are not an ONNX protocol buffer"),
               NULL;
    size_t most = length > SIZE_MAX / 64 ? SIZE_MAX : 32 * length + ((size_t)16 << 20);
    Room room = {.arena = arena, .most = most, .err = &out};
    ProtobufCAllocator allocator = {take, leave, &room};
    const Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, length, bytes);
    if (model) return model;
    if (out.code) return err ? *err = out : out, NULL;
    if (room.full)
        return qc_fail(err, QC_EFORMAT, "the ONNX model would take more than %zu MB for %zu bytes of file", most >> 20,
                       length),
               NULL;
    return qc_fail(err, QC_EFORMAT, "this is no ONNX model, or a damaged one: a field of it cannot be read"), NULL;
}
