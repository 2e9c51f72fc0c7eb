#include "livesignals.h"

#include <signal.h>

static volatile sig_atomic_t came[3]; /* end, reload, status */
static volatile sig_atomic_t is_end;
static sigset_t open_mask; /* as it was: while the process waits */

static void note(int number)
{
    came[number == SIGHUP ? 1 : number == SIGUSR1 ? 2 : 0] = 1;
    if (number != SIGHUP && number != SIGUSR1) is_end = 1;
}

void qc_livesignals_hold(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct sigaction action = {.sa_handler = note};
    sigset_t held;
    sigemptyset(&action.sa_mask);
    sigemptyset(&held);
    for (int i = 0; i < 4; i++) sigaddset(&held, numbers[i]);
    sigprocmask(SIG_BLOCK, &held, &open_mask);
    for (int i = 0; i < 4; i++) {
        sigdelset(&open_mask, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
}

int qc_livesignals_poll(struct pollfd *fds, nfds_t n, int wait)
{
    const struct timespec none = {0};
    return ppoll(fds, n, wait ? NULL : &none, &open_mask);
}

int qc_livesignals_end(void) { return is_end; }

int qc_livesignals_take(void)
{
    int signals = (came[0] ? QC_SIGNAL_END : 0) | (came[1] ? QC_SIGNAL_RELOAD : 0) | (came[2] ? QC_SIGNAL_STATUS : 0);
    came[0] = came[1] = came[2] = 0; /* blocked while nobody waits: none is lost */
    return signals;
}
