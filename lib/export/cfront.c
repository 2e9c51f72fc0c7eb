#include "cfront.h"

#include <inttypes.h>

#include "../format/fronttables.h"
#include "cwrite.h"

void qc_c_front(FILE *to, const char *name, const QcFrontEnd *f)
{
    const QcFrontSetup *s = &f->setup;
    char head[160];
#define HEAD(type, what) (snprintf(head, sizeof head, "static const " type " %.100s_" what, name), head)
    qc_c_i32s(to, HEAD("int32_t", "cosine"), f->cosine, f->fft / 4 + 1);
    qc_c_i32s(to, HEAD("int32_t", "window"), f->window, s->frame / 2 + 1);
    qc_c_u16s(to, HEAD("uint16_t", "first"), f->first, s->bands);
    qc_c_u16s(to, HEAD("uint16_t", "bins"), f->bins, s->bands);
    qc_c_u16s(to, HEAD("uint16_t", "weight"), f->weight, qc_fronttables_weights(f));
    qc_c_i32s(to, HEAD("int32_t", "gain"), f->gain, s->bands);
    if (s->coefficients) qc_c_i32s(to, HEAD("int32_t", "dct"), f->dct, s->bands + 1);
#undef HEAD
    fprintf(to,
            "static const QcFrontEnd %s = {\n    .setup = {.rate = %" PRIu32 ", .frame = %" PRIu32 ", .hop = %" PRIu32
            ", .bands = %" PRIu32 ", .coefficients = %" PRIu32 "},\n    .fft = %" PRIu32
            ", .cosine = %s_cosine, .window = %s_window, .first = %s_first, .bins = %s_bins, .weight = %s_weight,\n"
            "    .gain = %s_gain,",
            name, s->rate, s->frame, s->hop, s->bands, s->coefficients, f->fft, name, name, name, name, name, name);
    if (s->coefficients)
        fprintf(to, " .dct = %s_dct, .dct_scale = {%" PRId32 ", %" PRId32 "},", name, f->dct_scale[0], f->dct_scale[1]);
    fputs("\n};\n\n", to);
}
