/* targettable.c - coefficients of the Cortex-M cores, in the order of QC_TARGET_WORK: instructions by
 * tests/bench/cortexm/fit.py, of GCC 12 at -O3; cycles per instruction by rule of thumb (loads take two cycles, taken
 * branches more; an M7 starts two instructions at once); code at -O2 with drift, push and share/firmware's board.
 */
#include "targetfile.h"

const QcTarget qc_targets[QC_TARGETS] = {
    {"cortex-m0plus", QC_TARGET_SCALAR, 0,
     {6.67, 86.3, 2.94, 0, 0, 0, 0, 0, 16.5, 0, 0, 7.45, 8.42, 6.28, 269, 27.6, 5.85, 77.5, 13.6, 133, 6.3, 8.08,
      2270, 152, 20.8, 7990, 2050, 1130, 16.3, 311, 79, 154, 8520, 1.5, 25600, 36864}},
    {"cortex-m3", QC_TARGET_SCALAR, 0,
     {2.91, 29.3, 5.16, 0, 0, 4.83, 5.18, 6.66, 6.51, 0, 0, 3.91, 4.15, 3.52, 108, 18.3, 5.79, 36.4, 8.35, 61.1,
      5.89, 6.02, 534, 36.6, 9, 5740, 778, 576, 0, 135, 62.7, 27.9, 4460, 1.4, 21504, 30720}},
    {"cortex-m4", QC_TARGET_DSP, 0,
     {0.654, 33.2, 6.12, 2.19, 0, 5.8, 7.2, 6.86, 3.55, 0, 8, 1.68, 1.57, 1.37, 101, 4.45, 3.3, 52.2, 6.84, 65.4,
      6.1, 6, 547, 37.2, 9, 7620, 174, 28.4, 2.55, 10.6, 3.19, 0, 410, 1.3, 29696, 38912}},
    {"cortex-m7", QC_TARGET_DSP, 0,
     {0.654, 31.9, 6.11, 2.21, 0, 5.77, 7.16, 6.83, 3.54, 0, 8, 1.68, 1.58, 1.38, 100, 4.5, 3.29, 52, 7.02, 63,
      6.16, 6.17, 497, 39.4, 9, 7620, 174, 27.4, 2.54, 10.6, 3.17, 0, 410, 0.9, 29696, 38912}},
    {"cortex-m55", QC_TARGET_MVE, 0,
     {0.0354, 8.99, 2.67, 1.63, 63.7, 7.91, 8.43, 8.43, 2.79, 0, 0, 0.257, 0.282, 0.302, 34.3, 0.171, 1.13, 43.5,
      6.09, 57.9, 2.02, 1.64, 467, 9.41, 9, 5740, 520, 28.3, 0.307, 6.29, 0.642, 0, 449, 1.5, 24576, 33792}},
};
