#include "jobs.h"

#include <pthread.h>

typedef struct Queue {
    const QcJobs *jobs;
    uint32_t n, next, done;
    uint32_t failed; /* index of the first piece that failed; n = none */
    QcErr err;
    pthread_mutex_t lock;
} Queue;

/* The next piece, unless an earlier piece has failed. So all pieces before the first failure are done, for any speed
 * of the threads. */
static int take(Queue *q, uint32_t *i)
{
    pthread_mutex_lock(&q->lock);
    int there = q->next < q->n && q->failed == q->n;
    if (there) *i = q->next++;
    pthread_mutex_unlock(&q->lock);
    return there;
}

static void settle(Queue *q, uint32_t i, int status, const QcErr *err)
{
    pthread_mutex_lock(&q->lock);
    if (status && i < q->failed) {
        q->failed = i;
        q->err = *err;
    }
    q->done++;
    if (!status && q->jobs->progress) q->jobs->progress(q->jobs->progress_ctx, q->done, q->n);
    pthread_mutex_unlock(&q->lock);
}

static void *work_off(void *queue)
{
    Queue *q = queue;
    for (uint32_t i; take(q, &i);) {
        QcErr err = {0};
        int status = q->jobs->work(q->jobs->ctx, i, &err);
        settle(q, i, status, &err);
    }
    return NULL;
}

int qc_jobs_run(const QcJobs *jobs, uint32_t n, QcErr *err)
{
    Queue q = {.jobs = jobs, .n = n, .failed = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[QC_JOBS_MAX];
    uint32_t helpers = 0, wanted = jobs->threads > QC_JOBS_MAX ? QC_JOBS_MAX : jobs->threads;
    /* without another thread the work is only slower */
    while (helpers + 1 < wanted && helpers + 1 < n && !pthread_create(&threads[helpers], NULL, work_off, &q)) helpers++;
    work_off(&q);
    for (uint32_t k = 0; k < helpers; k++) pthread_join(threads[k], NULL);
    pthread_mutex_destroy(&q.lock);
    if (q.failed == n) return 0;
    if (err) *err = q.err;
    return -1;
}
