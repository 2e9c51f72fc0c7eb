/* fronttables.h - the constants of a front-end for sound (device/frontend.h), from what a user chooses. Only + - * / on
 * doubles, so that every workstation makes the same tables. */
#ifndef QC_FORMAT_FRONTTABLES_H
#define QC_FORMAT_FRONTTABLES_H

#include "../base/arena.h"
#include "../device/frontend.h"

/* QC_EUSAGE: a number is out of range. */
int qc_fronttables_check(const QcFrontSetup *s, QcErr *err);

/* Arrays come from `arena`. QC_EUSAGE: a number is out of range, or a band is so narrow that no bin is in it. */
int qc_fronttables_make(QcFrontEnd *f, const QcFrontSetup *setup, QcArena *arena, QcErr *err);

uint32_t qc_fronttables_weights(const QcFrontEnd *f); /* of all filters */
uint64_t qc_fronttables_bytes(const QcFrontEnd *f); /* on a device, where log-mel has no DCT */

#endif
