/* peak.h - the int8 multiply-adds that this core can do at all, in registers: what a kernel's speed is measured
 * against. */
#ifndef QC_QUANT_PEAK_H
#define QC_QUANT_PEAK_H

/* A loop without memory, one call of which makes `macs` multiply-adds. */
typedef struct QcPeakLoop {
    const char *name;
    void (*work)(void *unused);
    double macs;
} QcPeakLoop;

/* Those that this processor can run and that are exact for some int8 operands, ended by a NULL name; none where no loop
 * was written for the processor. */
const QcPeakLoop *qc_peak_loops(void);
/* Multiply-adds a second at best, tried for about so many seconds. */
double qc_peak_rate(const QcPeakLoop *loop, double seconds);
/* Of the best loop; 0 where there is none. */
double qc_peak_measure(void);

#endif
