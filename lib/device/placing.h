/* placing.h - lays device objects out in memory that the caller gives. The same walk counts the bytes (memory = NULL)
 * and assigns the pieces; it can also note the use of each part. So a plan that is printed cannot differ from the
 * memory that is used. */
#ifndef QC_DEVICE_PLACING_H
#define QC_DEVICE_PLACING_H

#include <stddef.h>
#include <stdint.h>

enum { QC_PLACING_ALIGN = 64, QC_PLAN_PARTS = 24 };

/* What memory is for, part by part. All zero = empty. */
typedef struct QcPlan {
    uint32_t n;
    struct {
        const char *name; /* a word or two, never freed */
        uint64_t bytes;
    } parts[QC_PLAN_PARTS];
} QcPlan;

typedef struct QcPlacing {
    uint8_t *memory; /* NULL: count only */
    uint64_t used;   /* 64 bits, so that a count too large for the machine is seen */
    QcPlan *plan;    /* NULL: uses are not noted */
} QcPlacing;

/* Pieces taken from now on belong to a new part. After QC_PLAN_PARTS parts, the last part takes all. */
static inline void qc_placing_part(QcPlacing *p, const char *name)
{
    QcPlan *plan = p->plan;
    if (!plan || plan->n == QC_PLAN_PARTS) return;
    plan->parts[plan->n].name = name;
    plan->parts[plan->n++].bytes = 0;
}

static inline void *qc_placing_take(QcPlacing *p, uint64_t bytes)
{
    void *piece = p->memory ? p->memory + p->used : NULL;
    bytes = (bytes + QC_PLACING_ALIGN - 1) / QC_PLACING_ALIGN * QC_PLACING_ALIGN;
    p->used += bytes;
    if (p->plan && p->plan->n) p->plan->parts[p->plan->n - 1].bytes += bytes;
    return piece;
}

static inline uint64_t qc_plan_bytes(const QcPlan *plan)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < plan->n; i++) bytes += plan->parts[i].bytes;
    return bytes;
}

#endif
