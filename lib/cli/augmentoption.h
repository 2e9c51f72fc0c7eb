/* augmentoption.h - the options --augment and --drift of qc-train and qc-quantize. */
#ifndef QC_CLI_AUGMENTOPTION_H
#define QC_CLI_AUGMENTOPTION_H

#include "../data/augment.h"

/* drift: the kind; NULL guesses the kind by the windows of m and prints it, because a wrong kind trains on windows that
 * never occur. 1: *a augments; 0: strength is 0, so nothing does. The norm of m is borrowed. */
int qc_cli_augment(QcAugment *a, double strength, const char *drift, const QcModelFile *m, QcArena *arena,
                   QcErr *err);

#endif
