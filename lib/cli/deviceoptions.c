#include "deviceoptions.h"

#include <string.h>

#include "parser.h"

static const char *update = "balanced";
static int64_t rounds = 20, by_layer = -1, second = 1, recent = 64, chunk;
static double phi0, cap, phi_max, stop = -1, balance = 1, prior = 1, scarce = 0.5, lead = 0.5, rest = 0.9, temper = -1, unseen = 0.7, ridge = 0.03, worth = 3;

const QcOption qc_device_options[] = {
    {0, "rounds", QC_OPTION_INT, &rounds, "N", "draws of flips a batch, at most", 0, 10000},
    {0, "stop", QC_OPTION_REAL, &stop, "LOSS", "no more draws once the loss on coreset and batch is at or below; -1 = 0.3, or as --temper where flips learn alone", -1, 100},
    {0, "phi0", QC_OPTION_REAL, &phi0, "R", "share of weights stepped in a batch's first draw; 0 = by the bits", 0, 1},
    {0, "cap", QC_OPTION_REAL, &cap, "R", "share above which steps get longer instead; 0 = by the bits", 0, 1},
    {0, "phi-max", QC_OPTION_REAL, &phi_max, "R", "largest share; 0 = by the bits", 0, 10},
    {0, "by-layer", QC_OPTION_INT, &by_layer, "0|1", "the share holds in each layer; -1 = by the bits", -1, 1},
    {0, "balance", QC_OPTION_REAL, &balance, "R", "0: every example weighs the same in the loss .. 1: every class does", 0, 1},
    {0, "prior", QC_OPTION_REAL, &prior, "N", "take the batch's class frequencies, smoothed by N, out of its loss; -1 = not", -1, 1000},
    {0, "chunk", QC_OPTION_INT, &chunk, "N", "weights that are looked at together; 0 = 20480", 0, 1000000000},
    {0, "scarce", QC_OPTION_REAL, &scarce, "R", "a batch with at most this share of the classes has the last layer in closed form, if better, and no flips; 0 = none", 0, 1},
    {0, "second", QC_OPTION_INT, &second, "0|1", "keep one beside that of the flips, and answer with that which arriving batches speak for", 0, 1},
    {0, "lead", QC_OPTION_REAL, &lead, "N", "examples by which that one is taken to be ahead at the beginning", 0, 1000000},
    {0, "rest", QC_OPTION_REAL, &rest, "R", "an arriving batch of which that one has at least this share right makes no flips; 0 = each does", 0, 1},
    {0, "temper", QC_OPTION_REAL, &temper, "LOSS", "its logits are large enough once the loss on coreset and batch is at or below; -1 = by the bits", -1, 100},
    {0, "unseen", QC_OPTION_REAL, &unseen, "R", "share of the margin by which classes that the stream has shown are held back while there are others; 0 = not", 0, 1},
    {0, "ridge", QC_OPTION_REAL, &ridge, "R", "of the last layer in closed form", 0.000001, 1000000},
    {0, "worth", QC_OPTION_REAL, &worth, "N", "stream examples that the source's mean of a class counts as in it", 0.01, 1000000},
    {0, "recent", QC_OPTION_INT, &recent, "N", "latest stream examples of a class that its mean in it follows; 0 = all alike", 0, 1000000},
    {0, "update", QC_OPTION_TEXT, &update, "RULE", "stream slots by misses, balanced, random or reservoir", 0, 0},
    {0},
};

static int index_of(int *at, const char *name, const char *const *names, const char *option, QcErr *err)
{
    for (*at = 0; names[*at]; ++*at)
        if (!strcmp(name, names[*at])) return 0;
    return qc_fail(err, QC_EUSAGE, "%s has no '%.40s' (see -h)", option, name);
}

int qc_device_options_read(QcCalibrateOptions *o, uint64_t seed, QcErr *err)
{
    static const char *const updates[] = {"misses", "balanced", "random", "reservoir", NULL};
    int rule;
    if (index_of(&rule, update, updates, "--update", err)) return -1;
    *o = qc_calibrate_defaults(8);
    o->rounds = (uint32_t)rounds;
    o->stop = (float)stop;
    o->phi0 = (float)phi0;
    o->cap = (float)cap;
    o->phi_max = (float)phi_max;
    o->by_layer = (int)by_layer;
    o->balance = (float)balance;
    o->prior = (float)prior;
    o->chunk = (uint32_t)chunk;
    o->scarce = (float)scarce;
    o->second = (int)second;
    o->lead = (float)lead;
    o->rest = (float)rest;
    o->temper = (float)temper;
    o->unseen = (float)unseen;
    o->ridge = (float)ridge;
    o->worth = (float)worth;
    o->recent = (uint32_t)recent;
    o->update = (QcUpdate)rule;
    o->seed = seed;
    return 0;
}

void qc_device_options_in_vain(const char *method, int keeps_slots)
{
    for (const QcOption *o = qc_device_options; o->name; o++)
        if (qc_cli_given(o->name) && (keeps_slots || strcmp(o->name, "update"))) qc_warn("--%s has no effect on method %s", o->name, method);
}
