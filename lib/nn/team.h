/* team.h - a few threads that do the same work on different parts, with barriers where they need each other's results.
 *
 * Members are threads. A waiting thread spins for a moment and then sleeps, which costs little on a machine that is
 * shared with others (OpenMP's threads spin for milliseconds; measured on two busy cores, training took four times as
 * long).
 */
#ifndef QC_NN_TEAM_H
#define QC_NN_TEAM_H

#include "../base/err.h"

typedef struct QcTeam QcTeam;

QcTeam *qc_team_new(int members, QcErr *err); /* the caller is member 0 */
void qc_team_free(QcTeam *team);
/* work(ctx, member) on every member; returns when all are done. */
void qc_team_run(QcTeam *team, void (*work)(void *ctx, int member), void *ctx);
/* Within work: waits for all members; what each wrote before, all see after. */
void qc_team_barrier(QcTeam *team);

#endif
