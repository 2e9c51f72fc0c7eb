#include "cfront.h"

#include <inttypes.h>

#include "cwrite.h"

static uint32_t weights_of(const QcFrontEnd *f)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < f->setup.bands; b++) n += f->bins[b];
    return n;
}

/* Log-mel bands need no DCT. */
static uint32_t dct_entries(const QcFrontEnd *f) { return f->setup.coefficients ? f->setup.bands + 1 : 0; }

uint64_t qc_c_front_flash(const QcFrontEnd *f)
{
    return 4 * (f->fft / 4 + 1) + 4 * (f->setup.frame / 2 + 1) + 8 * f->setup.bands + 2 * weights_of(f) +
           4 * dct_entries(f) + sizeof *f;
}

void qc_c_front(FILE *to, const char *name, const QcFrontEnd *f)
{
    const QcFrontSetup *s = &f->setup;
    char head[160];
#define HEAD(type, what) (snprintf(head, sizeof head, "static const " type " %.100s_" what, name), head)
    qc_c_i32s(to, HEAD("int32_t", "cosine"), f->cosine, f->fft / 4 + 1);
    qc_c_i32s(to, HEAD("int32_t", "window"), f->window, s->frame / 2 + 1);
    qc_c_u16s(to, HEAD("uint16_t", "first"), f->first, s->bands);
    qc_c_u16s(to, HEAD("uint16_t", "bins"), f->bins, s->bands);
    qc_c_u16s(to, HEAD("uint16_t", "weight"), f->weight, weights_of(f));
    qc_c_i32s(to, HEAD("int32_t", "gain"), f->gain, s->bands);
    if (dct_entries(f)) qc_c_i32s(to, HEAD("int32_t", "dct"), f->dct, dct_entries(f));
#undef HEAD
    fprintf(to,
            "static const QcFrontEnd %s = {\n    .setup = {.rate = %" PRIu32 ", .frame = %" PRIu32 ", .hop = %" PRIu32
            ", .bands = %" PRIu32 ", .coefficients = %" PRIu32 "},\n    .fft = %" PRIu32
            ", .cosine = %s_cosine, .window = %s_window, .first = %s_first, .bins = %s_bins, .weight = %s_weight,\n"
            "    .gain = %s_gain,",
            name, s->rate, s->frame, s->hop, s->bands, s->coefficients, f->fft, name, name, name, name, name, name);
    if (dct_entries(f))
        fprintf(to, " .dct = %s_dct, .dct_scale = {%" PRId32 ", %" PRId32 "},", name, f->dct_scale[0], f->dct_scale[1]);
    fputs("\n};\n\n", to);
}
