#include "trainlog.h"

#include <math.h>
#include <stdio.h>

#include "cli.h"

static void print_json(const QcEpoch *e)
{
    const struct {
        const char *name;
        double value;
        int digits;
    } all[] = {{"loss", e->loss, 6},
               {"accuracy", e->accuracy, 6},
               {"valid_loss", e->valid_loss, 6},
               {"valid_accuracy", e->valid_accuracy, 6},
               {"seconds", e->seconds, 2}};
    printf("{\"epoch\": %u", e->epoch);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        printf(", \"%s\": ", all[k].name);
        qc_json_real(all[k].value, all[k].digits);
    }
    puts("}");
}

void qc_trainlog_show(QcTrainLog *log, const QcEpoch *e)
{
    if (!log->kept.epoch || isnan(e->valid_loss) || e->valid_loss < log->kept.valid_loss) log->kept = *e;
    if (log->json) print_json(e);
    if (isnan(e->valid_loss))
        qc_progress(e->epoch, e->epochs, "epochs  loss %.4f  accuracy %.4f", e->loss, e->accuracy);
    else
        qc_progress(e->epoch, e->epochs, "epochs  loss %.4f  accuracy %.4f  validation %.4f %.4f", e->loss, e->accuracy,
                    e->valid_loss, e->valid_accuracy);
}

void qc_trainlog_end(const QcTrainLog *log, uint64_t bytes, double seconds)
{
    const QcEpoch *kept = &log->kept;
    unsigned long long size = bytes;
    if (!kept->epoch) qc_note("no epoch was left to train; %.1f s; %llu bytes", seconds, size);
    else if (isnan(kept->valid_loss))
        qc_note("accuracy %.4f on the %straining examples (--valid holds some out); %.1f s; %llu bytes", kept->accuracy,
                log->augmented ? "augmented " : "", seconds, size);
    else qc_note("accuracy %.4f on held-out examples; %.1f s; %llu bytes", kept->valid_accuracy, seconds, size);
}
