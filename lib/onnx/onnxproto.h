/* onnxproto.h - the bytes of an ONNX file as the structs that protoc-c makes of onnx.proto. Not for other floors.
 *
 * protobuf-c neither bounds how deep messages nest nor how much memory they take; this does, before and while it
 * unpacks.
 */
#ifndef QC_ONNX_ONNXPROTO_H
#define QC_ONNX_ONNXPROTO_H

#include <onnx.pb-c.h>

#include "../base/arena.h"

/* The message lives in the arena and points into nothing else. QC_EFORMAT if the bytes are no ONNX model. */
const Onnx__ModelProto *qc_onnx_unpack(const uint8_t *bytes, size_t length, QcArena *arena, QcErr *err);

#endif
