/* state.h - what a learner has learned, kept through a power cut: its state block (learner.h) in two slots of flash
 * that are written in turn.
 *
 * A slot is whole if its header is, and the header is written last: if the power fails at any moment, the other slot
 * still has the state before. Memory is reached through callbacks with flash semantics: a sector is erased to ones, a
 * page is written once after that. A file can do the same (lib/format/statefile.h). Little-endian, as all processors
 * that this is built for.
 *
 * A slot: header of 8 words (magic, format, identity twice 32 bits, sequence, bytes of content, CRC-32 of content,
 * CRC-32 of the seven words before it), padded to a page or 64 bytes; then the content, which is the learner's state
 * block as it lies in memory.
 */
#ifndef QC_DEVICE_STATE_H
#define QC_DEVICE_STATE_H

#include "learner.h"

enum { QC_STATE_PAGE_MAX = 512, QC_STATE_HEADER = 64 };

/* The memory of an image: 2 * slot_bytes, addresses from 0. Callbacks return 0, or anything else if the hardware
 * failed. */
typedef struct QcFlash {
    void *ctx;
    uint32_t slot_bytes;   /* a multiple of sector_bytes, at least qc_state_bytes */
    uint32_t sector_bytes; /* what is erased at once: a multiple of page_bytes */
    uint32_t page_bytes;   /* what is written at once: a power of two, at most QC_STATE_PAGE_MAX; 1 if it does not
                              matter */
    int (*read)(void *ctx, uint32_t at, void *to, uint32_t n);
    int (*erase)(void *ctx, uint32_t at);                               /* the sector at `at`: all bytes 0xff */
    int (*program)(void *ctx, uint32_t at, const void *from, uint32_t n); /* n: one or more whole pages, erased
                                                                             before */
    int (*sync)(void *ctx); /* what was written so far is stored for good before anything else is; NULL if nothing is
                               buffered */
} QcFlash;

typedef struct QcState {
    const QcFlash *flash;
    uint64_t identity;  /* of the model and all else that a state must fit: from the caller, and the same as long as
                           states are to be found again */
    uint32_t sequence;  /* of the newest whole slot; wraps */
    int8_t newest;      /* 0, 1; -1 none */
    uint8_t known;      /* the image was read */
    uint8_t damaged;    /* 1: a slot that was once written whole is damaged, so the newest state may be lost */
} QcState;

typedef enum QcStateFound {
    QC_STATE_BROKEN = -2,  /* the memory cannot be read, or is too small, or what it holds makes no sense: place the
                              learner again before it is used */
    QC_STATE_FOREIGN = -1, /* a whole state, but of another identity or version, and none of this one */
    QC_STATE_NONE = 0,     /* nothing was ever saved whole */
    QC_STATE_LOADED = 1
} QcStateFound;

/* Bytes of one slot for a learner with that many bytes of state, before rounding up to a sector. */
uint64_t qc_state_bytes(uint32_t state_bytes, uint32_t page_bytes);

void qc_state_init(QcState *s, const QcFlash *flash, uint64_t identity);
/* The last whole state into a learner that was placed with the same model, parameters and capacity. Anything but LOADED
 * and BROKEN leaves the learner as it is. */
QcStateFound qc_state_load(QcState *s, QcLearner *l);
/* 0, or -1 if the memory failed: what was saved before is still there. Call between adapts. */
int qc_state_save(QcState *s, const QcLearner *l);

#endif
