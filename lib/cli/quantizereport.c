#include "quantizereport.h"

/* A figure without examples is nan or null. */
static const char *figure(char text[32], double value, int known, int json)
{
    snprintf(text, 32, json ? "%.6g" : "%.4f", value);
    return known ? text : json ? "null" : "nan";
}

void qc_print_quantized(FILE *to, const QcQuantizeReport *r, const QcQGraph *g, int activation_bits, int json)
{
    uint32_t layers = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) layers += g->nodes[i].n_codes > 0;
    const char *form =
        json ? "{\"bits\": %d, \"activation_bits\": %d, \"layers\": %u, \"weights\": %u, \"bytes\": %u, "
               "\"held_out\": %u, \"rounded_loss\": %s, \"rounded_accuracy\": %s, \"loss\": %s, "
               "\"accuracy\": %s, \"kept_epoch\": %u}\n"
             : "bits\t%d\nactivation bits\t%d\nlayers\t%u\nweights\t%u\nbytes of codes\t%u\nheld-out examples\t%u\n"
               "rounded: loss\t%s\nrounded: accuracy\t%s\nkept: loss\t%s\nkept: accuracy\t%s\nkept epoch\t%u\n";
    char text[4][32];
    int known = r->held_out > 0;
    fprintf(to, form, g->bits, activation_bits, layers, g->n_codes, g->n_code_bytes, r->held_out,
            figure(text[0], r->rounded_loss, known, json), figure(text[1], r->rounded_accuracy, known, json),
            figure(text[2], r->loss, known, json), figure(text[3], r->accuracy, known, json), r->kept_epoch);
}
