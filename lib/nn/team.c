#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOKS = 4000 }; /* polls of a waiting thread before it sleeps: some tens of microseconds */

typedef struct Member {
    QcTeam *team;
    int number;
    pthread_t thread;
} Member;

struct QcTeam {
    int members, started; /* started: threads that must be joined */
    Member *others;       /* [members - 1] */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_int arrived;
    atomic_uint meetings;
    void (*work)(void *ctx, int member); /* NULL: go home */
    void *ctx;
};

void qc_team_barrier(QcTeam *team)
{
    if (team->members == 1) return;
    unsigned meeting = atomic_load(&team->meetings);
    if (atomic_fetch_add(&team->arrived, 1) + 1 == team->members) {
        atomic_store(&team->arrived, 0);
        pthread_mutex_lock(&team->lock);
        atomic_fetch_add(&team->meetings, 1);
        pthread_cond_broadcast(&team->changed);
        pthread_mutex_unlock(&team->lock);
        return;
    }
    for (int i = 0; i < LOOKS; i++)
        if (atomic_load(&team->meetings) != meeting) return;
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->meetings) == meeting) pthread_cond_wait(&team->changed, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

static void *live(void *self)
{
    Member *member = self;
    for (;;) {
        qc_team_barrier(member->team);
        if (!member->team->work) return NULL;
        member->team->work(member->team->ctx, member->number);
        qc_team_barrier(member->team);
    }
}

QcTeam *qc_team_new(int members, QcErr *err)
{
    QcTeam *team = calloc(1, sizeof *team);
    if (team) team->others = calloc((size_t)members, sizeof *team->others);
    if (!team || !team->others) {
        free(team);
        qc_fail_memory(err, "a team of threads");
        return NULL;
    }
    team->members = members;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->changed, NULL);
    for (int i = 1; i < members; i++) {
        Member *member = &team->others[i - 1];
        *member = (Member){.team = team, .number = i};
        if (pthread_create(&member->thread, NULL, live, member)) {
            qc_fail(err, QC_EFAIL, "only %d of %d threads could be started", i, members);
            qc_team_free(team);
            return NULL;
        }
        team->started++;
    }
    return team;
}

void qc_team_free(QcTeam *team)
{
    if (!team) return;
    team->members = team->started + 1; /* fewer if not all could be started */
    team->work = NULL;
    qc_team_barrier(team);
    for (int i = 0; i < team->started; i++) pthread_join(team->others[i].thread, NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->changed);
    free(team->others);
    free(team);
}

void qc_team_run(QcTeam *team, void (*work)(void *ctx, int member), void *ctx)
{
    team->work = work;
    team->ctx = ctx;
    qc_team_barrier(team);
    work(ctx, 0);
    qc_team_barrier(team);
}
