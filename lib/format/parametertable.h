/* parametertable.h - the learner's parameters (device/parameters.h) by name: for --tune, the state's identity, exported
 * C and the manual. */
#ifndef QC_FORMAT_PARAMETERTABLE_H
#define QC_FORMAT_PARAMETERTABLE_H

#include <stddef.h>

#include "../base/digest.h"
#include "../base/err.h"
#include "../device/parameters.h"

typedef struct QcParameterRow {
    const char *name, *meaning;
    int whole;       /* 1: uint32_t, 0: float */
    size_t offset;   /* in QcParameters */
    double at[3];    /* default at 2, 4 and 8 bits */
    double low, high; /* inclusive */
} QcParameterRow;

enum {
#define QC_PARAMETER_ONE(...) +1
    QC_PARAMETER_COUNT = QC_PARAMETERS(QC_PARAMETER_ONE)
#undef QC_PARAMETER_ONE
};
extern const QcParameterRow qc_parameter_rows[QC_PARAMETER_COUNT];

double qc_parameter_value(const QcParameters *p, const QcParameterRow *row);

/* "NAME=VALUE" texts, one after another. QC_EUSAGE names the parameters, or the range. */
int qc_parameters_tune(QcParameters *p, const char *const *texts, int n, QcErr *err);

/* Adds every name and exact value. */
void qc_parameters_digest(QcDigest *d, const QcParameters *p);

#endif
