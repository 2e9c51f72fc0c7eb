/* bench.h - code that the benches share: a clock, the line for a figure that has a bar, a rival program in its own
 * process, and the full network that is timed beside rivals. Compared programs run in turns, and the best or the
 * median of many rounds counts, because other programs use the machine.
 */
#ifndef QC_TESTS_BENCH_H
#define QC_TESTS_BENCH_H

#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "../../lib/device/qgraph.h"
#include "../../lib/nn/graph.h"
#include "../../lib/onnx/onnxout.h"

/* CLOCK_MONOTONIC, or CLOCK_PROCESS_CPUTIME_ID if a rival reports its processor time. */
double bench_seconds(clockid_t clock);

double bench_median(double *values, int n); /* sorts them */

void bench_bar(const char *name, double value, double least);

/* A process that reads lines on its stdin and answers with numbers on its stdout. It counts as absent if it answers
 * nothing. */
typedef struct Child {
    FILE *to, *from;
    pid_t pid;
} Child;

int child_start(Child *c, const char *const *argv); /* call before threads start: a process with threads should not
                                                     * fork */
int child_ask(Child *c, const char *line, double *answers, int n);
void child_stop(Child *c);

/* InceptionTime (32 filters, depth 6) with initial weights. */
enum { NET_CHANNELS = 45, NET_LENGTH = 125, NET_CLASSES = 19, NET_VALUES = NET_CHANNELS * NET_LENGTH };

int whole_load(QcGraph *model, QcErr *err);

/* Any network of share/arch with initial weights. */
typedef struct NetShape {
    const char *arch;
    uint32_t channels, height, length, classes; /* classes: at most NET_CLASSES */
} NetShape;

int net_load(QcGraph *model, const NetShape *shape, QcErr *err);
void net_window(float *window, uint32_t values); /* normally distributed random values, the same on each call */

/* Writes a model file with the float graph (if g is NULL) or with the quantized graph g, as ONNX to `path`. */
int net_write_onnx(const char *path, const NetShape *shape, const QcGraph *model, const QcQGraph *g, QcOnnxCodes codes,
                   QcErr *err);

/* A network, quantized on one window [height][length][channels] and ready to run. */
typedef struct Whole {
    QcQGraph g;
    QcArena arena;
    QcQRun run;
    void *memory;
} Whole;

int whole_init(Whole *n, const QcGraph *model, const float *window, int bits, const QcKernels *k, QcErr *err);
void whole_release(Whole *n);
void whole_pass(Whole *n, const float *window); /* from floats to logits */

#endif
