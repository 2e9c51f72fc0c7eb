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
void whole_window(float window[NET_VALUES]); /* normally distributed random values, the same on each call */

/* The same network, quantized on one window and ready to run. */
typedef struct Whole {
    QcQGraph g;
    QcArena arena;
    QcQRun run;
    void *memory;
} Whole;

int whole_init(Whole *n, const QcGraph *model, const float window[NET_VALUES], int bits, const QcKernels *k,
               QcErr *err);
void whole_release(Whole *n);
void whole_pass(Whole *n, const float window[NET_VALUES]); /* from floats to logits */

#endif
