/* What qc-run reads: frames and labels. The first two bytes choose the form of the frames and the options; labels
 * follow up to a form feed, then frames. Frames that come in small pieces must be read as frames that come at once.
 * Then a session with a learner runs on them, and a session without a learner. The model is a seed of fuzz_sealed.c. */
#include <math.h>

#include "fuzz.h"

#include "../../lib/base/digest.h"
#include "../../lib/base/text.h"
#include "../../lib/format/spareclasses.h"
#include "../../lib/live/live.h"

enum { MOST_BYTES = 4096 };

static const char model_path[] = "tests/fuzz/seeds/sealed/live.qcm",
                  coreset_path[] = "tests/fuzz/seeds/sealed/live.qcd";

typedef struct Input {
    QcFrameOptions frames;
    uint32_t stride, piece;
    const uint8_t *labels, *bytes;
    size_t n_labels, n;
} Input;

static Input split(const uint8_t *bytes, size_t length)
{
    static const char *const columns[] = {NULL, NULL, "3-5", "c1,c2,c3"};
    uint8_t how = bytes[0];
    const uint8_t *labels = bytes + 2, *end = memchr(labels, '\f', length - 2);
    Input in = {.frames = {.raw = how % 4 == 3 ? QC_RAW_I16 : how % 4 == 2 ? QC_RAW_F32 : QC_RAW_TEXT},
                .stride = bytes[1] % 12,
                .piece = 1 + bytes[1] / 4,
                .labels = labels,
                .n_labels = end ? (size_t)(end - labels) : 0,
                .bytes = end ? end + 1 : labels};
    in.n = length - (size_t)(in.bytes - bytes);
    if (how & 64) in.frames.rate = 20;
    if (in.frames.raw != QC_RAW_TEXT) return in;
    in.frames.decimal_comma = how >> 2 & 1;
    in.frames.columns = columns[how >> 3 & 3];
    if (how & 32) in.frames.time_column = "none";
    if (how & 128) in.frames.label_column = "2";
    return in;
}

/* ---- frames ---- */

static void check_words(const char *words)
{
    fuzz_demand(!strpbrk(words, "\n\r\033") && qc_text_is_utf8(words, strlen(words)), "words that are no plain line");
}

static int read_some(QcDigest *digest, QcFrameReader *r, QcErr *err)
{
    QcFrameKind kind;
    do {
        if (qc_framereader_next(r, &kind, err)) return -1;
        check_words(r->words);
        check_words(r->note);
        if (kind == QC_FRAME_NONE) return 0;
        qc_digest_add(digest, &kind, sizeof kind);
        if (kind == QC_FRAME_BREAK) qc_digest_add(digest, r->words, strlen(r->words));
        else {
            for (uint32_t c = 0; c < r->m->channels; c++) fuzz_demand(isfinite(r->x[c]), "a value that is none");
            fuzz_demand(r->class_index < (int32_t)r->m->classes, "a label that is no class");
            qc_digest_add(digest, r->x, r->m->channels * sizeof *r->x);
            qc_digest_add(digest, &r->class_index, sizeof r->class_index);
            qc_digest_add(digest, r->stamp, strlen(r->stamp));
        }
    } while (1);
}

/* The digest of all that the reader says of the frames, which come `piece` bytes at a time. */
static void read_frames(uint8_t out[QC_DIGEST_BYTES], const Input *in, size_t piece)
{
    QcErr err = {0};
    QcModelFile m;
    QcFrameReader r;
    QcDigest digest;
    fuzz_demand(!qc_modelfile_load(&m, model_path, &err), err.text);
    fuzz_demand(!qc_framereader_open(&r, &m, &in->frames, &err), err.text);
    r.takes_classes = 1;
    qc_digest_init(&digest);
    int status = 0;
    for (size_t at = 0, room, n = 1; !status && n; at += n) {
        uint8_t *to = qc_framereader_room(&r, &room);
        n = in->n - at < piece ? in->n - at : piece;
        if (n > room) n = room;
        if (n) memcpy(to, in->bytes + at, n);
        qc_framereader_add(&r, n);
        status = read_some(&digest, &r, &err);
    }
    if (status) {
        fuzz_refused(&err);
        qc_digest_add(&digest, err.text, strlen(err.text));
    }
    qc_digest_add(&digest, &r.filled, sizeof r.filled);
    qc_digest_end(&digest, out);
    qc_framereader_close(&r);
    qc_modelfile_release(&m);
}

/* ---- sessions ---- */

static int check_report(void *ctx, const QcLiveReport *r)
{
    (void)ctx;
    uint32_t classes = r->live->model->model.classes, named = qc_named_classes(&r->live->model->model);
    if (r->event == QC_LIVE_LABEL) fuzz_demand(r->class_index < classes, "a label that is no class");
    if (r->event == QC_LIVE_ADAPT)
        fuzz_demand(r->adapt->right_before <= r->adapt->n && r->adapt->right_after <= r->adapt->n,
                    "more right labels than labels");
    if (r->event != QC_LIVE_WINDOW) return 0;
    const QcLiveWindow *w = r->window;
    fuzz_demand(w->answer->class_index < named, "an answer that is no class");
    fuzz_demand(w->answer->probability > 0 && w->answer->probability <= 1, "a probability that is none");
    fuzz_demand(w->label < (int32_t)classes, "a label that is no class");
    for (uint32_t k = 0; k < named; k++) fuzz_demand(isfinite(w->logits[k]), "a logit that is none");
    return 0;
}

static void run_session(const Input *in, const QcLiveOptions *o, const char *labels)
{
    QcErr err = {0};
    char path[64];
    QcLive s = {.path = model_path, .o = *o, .every = 4, .ask = in->piece % 8 ? 0 : 2, .report = check_report};
    int frames = fuzz_open(path, in->bytes, in->n);
    fuzz_demand(lseek(frames, 0, SEEK_SET) == 0, "no file of frames");
    fuzz_demand(!qc_live_open(&s, &err), err.text);
    if (qc_live_frames(&s, frames, &in->frames, in->stride, labels, &err)) fuzz_refused(&err);
    const QcLiveCounts *c = &s.counts;
    fuzz_demand(c->right <= c->labelled && c->labelled <= c->windows && c->windows <= c->frames,
                "counts that disagree");
    fuzz_demand(qc_learner_is_sound(&s.model->learner), "a sound learner has become an unsound one");
    qc_live_close(&s);
    close(frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char state_path[64], label_path[64];
    uint8_t whole[QC_DIGEST_BYTES], pieces[QC_DIGEST_BYTES];
    if (length < 2 || length > MOST_BYTES) return 0;
    Input in = split(bytes, length);
    read_frames(whole, &in, SIZE_MAX);
    read_frames(pieces, &in, in.piece);
    fuzz_demand(!memcmp(whole, pieces, sizeof whole), "frames that come in pieces are read as other frames");
    int labels = fuzz_open(label_path, in.labels, in.n_labels);
    snprintf(state_path, sizeof state_path, "%s/qc-fuzz-live-%ld", fuzz_files(), (long)getpid());
    run_session(&in, &(QcLiveOptions){.coreset = coreset_path, .state = state_path, .seed = 1}, label_path);
    run_session(&in, &(QcLiveOptions){.seed = 1}, NULL);
    remove(state_path);
    close(labels);
    return 0;
}
