/* mat73.h - MATLAB files of version 7.3, which are HDF5. libmatio and the HDF5 library read them, and both can crash or
 * hang on a damaged file. So a child process of its own runs them, under limits, and sends what it reads through a
 * pipe. The parent checks all of it: a child that was taken over can send wrong values, but no values out of bounds.
 */
#ifndef QC_DATA_MAT73_H
#define QC_DATA_MAT73_H

#include "matvariables.h"

/* Adds all variables of the file. Starts a process: no other thread may run. A child that dies, at its limit or by a
 * signal, is a file that cannot be read (QC_EFORMAT). */
int qc_mat73_read(QcMat *mat, QcErr *err);

/* --- for tests --- */

/* Seconds of processor time that a child has; 0 at start: they follow from the size of the file. */
extern uint32_t qc_mat73_seconds;
/* The work of a child, which writes to the descriptor `to`. It need not return. */
typedef void QcMat73Child(const QcMat *mat, int to);
/* Adds the variables that such a child sends. */
int qc_mat73_run(QcMat *mat, QcMat73Child *work, QcErr *err);
/* Adds the variables that a child wrote to descriptor `from`. */
int qc_mat73_receive(QcMat *mat, int from, QcErr *err);

#endif
