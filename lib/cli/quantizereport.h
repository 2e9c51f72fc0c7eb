/* quantizereport.h - what quantization made of a model, as qc-quantize prints it. */
#ifndef QC_CLI_QUANTIZEREPORT_H
#define QC_CLI_QUANTIZEREPORT_H

#include <stdio.h>

#include "../quant/quantize.h"

/* json: one object on one line; else lines of name and value, a tab between them. */
void qc_print_quantized(FILE *to, const QcQuantizeReport *r, const QcQGraph *g, int activation_bits, int json);

#endif
