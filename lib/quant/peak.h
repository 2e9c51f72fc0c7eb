/* peak.h - the peak rate of int8 multiply-adds of this core, from registers: the reference for a kernel's speed. */
#ifndef QC_QUANT_PEAK_H
#define QC_QUANT_PEAK_H

/* A loop without memory, one call of which makes `macs` multiply-adds. */
typedef struct QcPeakLoop {
    const char *name;
    void (*work)(void *unused);
    double macs;
} QcPeakLoop;

/* The loops that this processor can run and that are exact for some int8 operands, ended by a NULL name; none if no
 * loop was written for the processor. */
const QcPeakLoop *qc_peak_loops(void);
/* Multiply-adds per second at best, measured for about `seconds`. */
double qc_peak_rate(const QcPeakLoop *loop, double seconds);
/* Of the best loop; 0 if there is none. */
double qc_peak_measure(void);

#endif
