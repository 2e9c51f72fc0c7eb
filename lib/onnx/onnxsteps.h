/* onnxsteps.h - short words for the steps of a function of one number: STEPS(S(X), N(0), S(MAX)) is max(x, 0). */
#ifndef QC_ONNX_ONNXSTEPS_H
#define QC_ONNX_ONNXSTEPS_H

#include "onnxparts.h"

enum {
    X = QC_STEP_X,
    ADD = QC_STEP_ADD,
    SUB = QC_STEP_SUB,
    MUL = QC_STEP_MUL,
    DIV = QC_STEP_DIV,
    MIN = QC_STEP_MIN,
    MAX = QC_STEP_MAX
};

static inline QcStep number(float value) { return (QcStep){QC_STEP_NUMBER, value}; }
static inline QcStep step(int op) { return (QcStep){(uint8_t)op, 0}; }

#define STEPS(...) (const QcStep[]){__VA_ARGS__}, sizeof((const QcStep[]){__VA_ARGS__}) / sizeof(QcStep)
#define N(value) number(value)
#define S(op) step(op)

#endif
