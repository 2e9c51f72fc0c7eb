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
    pthread_cond_t changed[2];
    int limited, places; /* fewer cores than members; then: how many more may work now */
    atomic_int arrived;
    atomic_uint meetings;
    void (*work)(void *ctx, int member); /* NULL: go home */
    void *ctx;
};

/* ---- as many cores as members: they wait for each other, and those who wait look around ---- */

static void meet_all(QcTeam *team)
{
    unsigned meeting = atomic_load(&team->meetings);
    if (atomic_fetch_add(&team->arrived, 1) + 1 == team->members) {
        atomic_store(&team->arrived, 0);
        pthread_mutex_lock(&team->lock);
        atomic_fetch_add(&team->meetings, 1);
        pthread_cond_broadcast(&team->changed[0]);
        pthread_mutex_unlock(&team->lock);
        return;
    }
    for (int i = 0; i < LOOKS; i++)
        if (atomic_load(&team->meetings) != meeting) return;
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->meetings) == meeting) pthread_cond_wait(&team->changed[0], &team->lock);
    pthread_mutex_unlock(&team->lock);
}

/* ---- fewer cores: who works has a place. Between two meetings all work once, and who arrives at the second wakes one
 * who has not yet begun. ---- */

/* Members wait at meetings m and m + 1 at most, so two conditions keep them apart. */
static void meet_by_turns(QcTeam *team, int has_place, int wants_place)
{
    pthread_mutex_lock(&team->lock);
    unsigned meeting = atomic_load(&team->meetings);
    if (has_place) {
        team->places++;
        pthread_cond_signal(&team->changed[(meeting + 1) & 1]); /* of the meeting before */
    }
    if (atomic_fetch_add(&team->arrived, 1) + 1 == team->members) {
        atomic_store(&team->arrived, 0);
        atomic_fetch_add(&team->meetings, 1);
        /* the first place is this member's */
        for (int i = 1; wants_place && i < team->places; i++) pthread_cond_signal(&team->changed[meeting & 1]);
        if (!wants_place) pthread_cond_broadcast(&team->changed[meeting & 1]);
    } else {
        while (atomic_load(&team->meetings) == meeting || (wants_place && !team->places))
            pthread_cond_wait(&team->changed[meeting & 1], &team->lock);
    }
    if (wants_place) team->places--;
    pthread_mutex_unlock(&team->lock);
}

/* The member ends; its place becomes free. */
static void leave(QcTeam *team)
{
    pthread_mutex_lock(&team->lock);
    team->places++;
    pthread_cond_signal(&team->changed[(atomic_load(&team->meetings) + 1) & 1]);
    pthread_mutex_unlock(&team->lock);
}

static void meet(QcTeam *team, int has_place, int wants_place)
{
    if (team->limited) meet_by_turns(team, has_place, wants_place);
    else meet_all(team);
}

void qc_team_barrier(QcTeam *team) { meet(team, 1, 1); }

/* ---- the team ---- */

static void *live(void *self)
{
    Member *member = self;
    for (;;) {
        meet(member->team, 0, 1);
        if (!member->team->work) break;
        member->team->work(member->team->ctx, member->number);
        meet(member->team, 1, 0);
    }
    leave(member->team);
    return NULL;
}

QcTeam *qc_team_new(int members, int cores, QcErr *err)
{
    QcTeam *team = calloc(1, sizeof *team);
    if (team) team->others = calloc((size_t)members, sizeof *team->others);
    if (!team || !team->others) {
        free(team);
        qc_fail_memory(err, "a team of threads");
        return NULL;
    }
    team->members = members;
    team->places = cores;
    team->limited = cores < members;
    pthread_mutex_init(&team->lock, NULL);
    for (int i = 0; i < 2; i++) pthread_cond_init(&team->changed[i], NULL);
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
    meet(team, 0, 1);
    leave(team);
    for (int i = 0; i < team->started; i++) pthread_join(team->others[i].thread, NULL);
    pthread_mutex_destroy(&team->lock);
    for (int i = 0; i < 2; i++) pthread_cond_destroy(&team->changed[i]);
    free(team->others);
    free(team);
}

void qc_team_run(QcTeam *team, void (*work)(void *ctx, int member), void *ctx)
{
    team->work = work;
    team->ctx = ctx;
    meet(team, 0, 1);
    work(ctx, 0);
    meet(team, 1, 0);
}
