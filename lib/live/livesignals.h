/* livesignals.h - signals of a process that runs for long: they wait until the process is ready for them, and it then
 * sees them as events. */
#ifndef QC_LIVE_LIVESIGNALS_H
#define QC_LIVE_LIVESIGNALS_H

#include <poll.h>

typedef enum QcLiveSignal {
    QC_SIGNAL_END = 1, /* SIGTERM, SIGINT: save and end */
    QC_SIGNAL_RELOAD = 2, /* SIGHUP: read the model again */
    QC_SIGNAL_STATUS = 4 /* SIGUSR1 */
} QcLiveSignal;

/* From here on the four signals are blocked, for the life of the process. */
void qc_livesignals_hold(void);

/* Waits until a descriptor is ready or a signal comes; wait 0: only looks. Returns as poll does. */
int qc_livesignals_poll(struct pollfd *fds, nfds_t n, int wait);

/* 1 once SIGTERM or SIGINT has come, taken or not. */
int qc_livesignals_end(void);

/* QC_SIGNAL_* that came since the last call. */
int qc_livesignals_take(void);

#endif
