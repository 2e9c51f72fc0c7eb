/* pack_stream - the batches that qc-calibrate would cut a stream into, as a C array of raw values, for programs that
 * have no files.
 *   pack_stream MODEL CORESET STREAM BATCHES SEED ORDER >stream.c */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/live/session.h"

static int put_window(const QcDataset *d, float *x, uint32_t example, QcErr *err)
{
    uint64_t plane = (uint64_t)d->height * d->length;
    if (qc_dataset_read(x, d, example, 0, qc_dataset_values(d), err)) return -1;
    for (uint64_t step = 0; step < plane; step++)
        for (uint32_t c = 0; c < d->channels; c++)
            printf("%af,%s", (double)x[c * plane + step], c + 1 < d->channels ? " " : "\n");
    return 0;
}

static int put_stream(const QcSession *s, QcErr *err)
{
    const QcInputs *stream = &s->streams[0];
    const QcDataset *d = &stream->data;
    float *x = malloc(qc_dataset_values(d) * sizeof *x);
    int status = x ? 0 : -1;
    printf("#include \"stream.h\"\n\nconst uint32_t stream_batches = %u;\n\nconst uint32_t stream_starts[] = {",
           s->batches);
    for (uint32_t b = 0; b <= s->batches; b++) printf("%u, ", s->starts[b]);
    printf("};\n\n/* where each example stands in the file */\nconst uint32_t stream_index[] = {");
    for (uint32_t i = 0; i < d->n; i++) printf("%u, ", s->order[i]);
    printf("};\n\nconst uint16_t stream_label[] = {");
    for (uint32_t i = 0; i < d->n; i++) printf("%d, ", stream->label[s->order[i]]);
    printf("};\n\nconst uint64_t stream_id[] = {");
    for (uint32_t i = 0; i < d->n; i++) printf("%" PRIu64 "u, ", d->id[s->order[i]]);
    printf("};\n\nconst float stream_x[] = {\n");
    for (uint32_t i = 0; i < d->n && !status; i++) status = put_window(d, x, s->order[i], err);
    printf("};\n");
    free(x);
    return status;
}

int main(int argc, char **argv)
{
    QcErr err = {0};
    QcSession s;
    if (argc != 7) return 2;
    QcSessionOptions o = {.batches = (uint32_t)atoi(argv[4]), .command = "", .threads = 1};
    o.seed = (uint64_t)atoi(argv[5]);
    if (qc_stream_order_by_name(&o.order, argv[6], &err)) return 2;
    int status =
        qc_session_open(&s, argv[1], argv[2], (const char *const *)&argv[3], 1, &o, &err) || put_stream(&s, &err);
    if (status) fprintf(stderr, "pack_stream: %s\n", err.text);
    qc_session_close(&s);
    return status;
}
