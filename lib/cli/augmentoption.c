#include "augmentoption.h"

#include "cli.h"

int qc_cli_augment(QcAugment *a, double strength, const char *drift, const QcModelFile *m, QcArena *arena,
                   QcErr *err)
{
    QcDriftKind kind;
    if (!((float)strength > 0)) { /* as the file of the model has it */
        if (drift) return qc_fail(err, QC_EUSAGE, "--drift needs --augment above 0");
        return 0;
    }
    if (qc_drifts_choose(&kind, drift ? drift : "auto", m, err)) return -1;
    if (!drift) qc_note("augmented by synthetic drifts of kind %s", qc_drifts_names[kind]);
    return qc_augment_init(a, strength, kind, m, arena, err) ? -1 : 1;
}
