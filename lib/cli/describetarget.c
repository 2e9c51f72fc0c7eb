#include "describetarget.h"

#include <stdlib.h>

#include "../export/targetmodel.h"

/* ---- "262144", "256K", "2M" ---- */

static int read_bytes(uint64_t *bytes, const char *option, const char *text, QcErr *err)
{
    char *end;
    double n = strtod(text, &end);
    double factor = *end == 'K' || *end == 'k' ? 1024 : *end == 'M' || *end == 'm' ? 1024 * 1024 : 1;
    if (end == text || end[factor > 1] || !(n > 0 && n * factor <= 4294967296.0))
        return qc_fail(err, QC_EUSAGE, "--%s %.40s: give bytes, as 262144, 256K or 2M", option, text);
    *bytes = (uint64_t)(n * factor);
    return 0;
}

/* ---- the answer ---- */

static void put_work(QcKvWriter *s, const char *key, double instructions, const QcTarget *t)
{
    qc_kv_object(s, key);
    qc_kv_int(s, "instructions", (int64_t)(instructions + 0.5));
    if (t->mhz > 0)
        qc_kv_real(s, "milliseconds", instructions * t->c[QC_TARGET_cycles_per_instruction] / (1000 * t->mhz));
    qc_kv_end(s);
}

static void put_layers(QcKvWriter *s, const QcTargetModel *m)
{
    qc_kv_list(s, "layers");
    for (uint32_t i = 0; i < m->n_layers; i++) {
        qc_kv_object(s, NULL);
        qc_kv_text(s, "layer", m->layers[i].kind);
        qc_kv_int(s, "channels", m->layers[i].channels);
        qc_kv_int(s, "instructions", (int64_t)(m->layers[i].instructions + 0.5));
        qc_kv_end(s);
    }
    qc_kv_end(s);
}

/* room 0: not asked. */
static void put_room(QcKvWriter *s, const char *key, uint64_t needed, const char *part, uint64_t of_part, uint64_t room)
{
    qc_kv_object(s, key);
    qc_kv_int(s, "bytes", (int64_t)needed);
    qc_kv_int(s, part, (int64_t)of_part);
    if (room) qc_kv_int(s, "room", (int64_t)room);
    if (room) qc_kv_flag(s, "fits", needed <= room);
    qc_kv_end(s);
}

int qc_describe_target(QcKvWriter *s, const char *path, const QcTargetQuestion *q, QcErr *err)
{
    QcTargetModel m;
    uint64_t ram = 0, flash = 0;
    if ((q->ram && read_bytes(&ram, "ram", q->ram, err)) || (q->flash && read_bytes(&flash, "flash", q->flash, err)) ||
        qc_target_of_model(&m, path, q->target, q->slots, q->batch, err))
        return -1;
    qc_kv_text(s, "target", m.target.name);
    if (m.target.mhz > 0) qc_kv_real(s, "mhz", m.target.mhz);
    qc_kv_real(s, "cycles_per_instruction", m.target.c[QC_TARGET_cycles_per_instruction]);
    put_work(s, "window", m.quantize + m.predict + m.frames * m.frame, &m.target);
    if (m.frame > 0) put_work(s, "frame", m.frame, &m.target);
    if (m.adapt > 0) put_work(s, "adapt", m.adapt, &m.target);
    put_room(s, "ram", m.ram + m.stack, "stack", m.stack, ram);
    put_room(s, "flash", m.flash + m.code, "code", m.code, flash);
    put_layers(s, &m);
    qc_target_release(&m);
    return 0;
}
