#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "../format/spareclasses.h"
#include "livesignals.h"
#include "livewindow.h"

enum { BREAKS_SAID = 3, BREAKS_MANY = 50 };
enum { LABEL_BYTES = 4096, LABEL_READS = 16 /* before frames and signals have their turn */ };

int qc_live_open(QcLive *s, QcErr *err)
{
    s->model = calloc(1, sizeof *s->model);
    if (!s->model) return qc_fail_memory(err, "the model");
    if (qc_livemodel_open(s->model, s->path, &s->o, err)) return -1;
    s->times = qc_arena_take(&s->arena, QC_LIVE_RING, sizeof *s->times, err);
    s->answer = qc_arena_take(&s->arena, QC_LIVE_RING, sizeof *s->answer, err);
    s->is_labelled = qc_arena_take(&s->arena, QC_LIVE_RING, 1, err);
    if (!s->times || !s->answer || !s->is_labelled) return -1;
    if (qc_plausible_init(&s->plausible, &s->model->model, err)) return qc_within(err, s->path);
    qc_latelabels_init(&s->late, &s->model->model, s->times, QC_LIVE_RING, s->model->learner.counters->next);
    s->late.takes_classes = s->model->learns;
    s->named = qc_named_classes(&s->model->model);
    return 0;
}

void qc_live_close(QcLive *s)
{
    if (!s) return;
    qc_livemodel_close(s->model);
    free(s->model);
    qc_plausible_release(&s->plausible);
    qc_arena_release(&s->arena);
    *s = (QcLive){0};
}

/* A stream that ended before a window was full. */
static int check_windows(const QcLive *s, QcErr *err)
{
    const QcLiveCounts *c = &s->counts;
    if (c->windows || s->is_over || !(c->frames + c->breaks)) return 0;
    return qc_fail(err, QC_EFORMAT, "the stream has no window: %" PRIu64 " frames, %" PRIu64
                   " breaks, and a window has %" PRIu32 " frames", c->frames, c->breaks, s->frames.length);
}

int qc_live_undo(QcLive *s, uint64_t *labels, QcErr *err)
{
    int undone = qc_livemodel_undo(s->model, labels, err);
    if (!undone) return qc_fail(err, QC_EUSAGE, "%.300s: there is no adapt to undo", s->o.state);
    return undone < 0 ? -1 : 0;
}

/* ---- labels that come apart from frames ---- */

/* As many labels wait as can. After the last window none of them will match. Of a stream that goes on, the first
 * dropped label is named, and the others are counted (qc_live_finish). */
static void drop_label(QcLive *s, const QcLateLabel *label, int windows_come)
{
    if (!windows_come) {
        s->late.unmatched += label->found == 0;
        return;
    }
    if (!s->dropped++)
        qc_live_say(s, QC_LIVE_WARNING, "label '%s': %d labels wait for windows already; this label is dropped",
                    label->text, QC_LABELS_WAITING);
}

static int take_label(QcLive *s, QcLateLabel *label, int windows_come, QcErr *err)
{
    uint32_t at = 0, number, lost = 0;
    while (qc_latelabels_find(&s->late, label, &at, &number)) {
        label->found++;
        if (qc_live_label(s, number, label->class_index)) lost++;
        else
            qc_live_report(
                s, (QcLiveReport){.event = QC_LIVE_LABEL, .number = number, .class_index = label->class_index});
    }
    int past = qc_latelabels_wait(&s->late, label);
    if (past < 0)
        drop_label(s, label, windows_come);
    else if (past && !label->found)
        qc_live_say(s, QC_LIVE_WARNING, "label '%s': no such window is among the latest %d", label->text, QC_LIVE_RING);
    else if (lost)
        qc_live_say(s, QC_LIVE_WARNING, "label '%s': %" PRIu32 " of %" PRIu32 " windows were learned from already",
                    label->text, lost, label->found);
    return qc_live_adapt_if_due(s, err);
}

/* 1: as many labels as can wait for windows, and the file takes the rest of what was read back; a FIFO does not. */
static int give_back(QcLive *s, int file, ssize_t rest)
{
    if (s->late.n < QC_LABELS_WAITING || lseek(file, -(off_t)rest, SEEK_CUR) < 0) return 0;
    return s->keeps_labels = 1;
}

/* What is there, up to LABEL_READS pieces. 0: all that is there, or given back if windows are to come; 1: the file has
 * ended, 2: there may be more. */
static int read_labels(QcLive *s, int file, int windows_come, QcErr *err)
{
    char bytes[LABEL_BYTES];
    for (int reads = 0; reads < LABEL_READS; reads++) {
        ssize_t n = read(file, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
        if (n < 0) return qc_fail(err, QC_EIO, "labels cannot be read: %s", strerror(errno));
        for (ssize_t i = 0; i < n || (n == 0 && i == 0); i++) {
            QcLateLabel label;
            int found = qc_latelabels_byte(&s->late, n ? bytes[i] : '\n', &label);
            if (found < 0) qc_live_say(s, QC_LIVE_WARNING, "%s", s->late.words);
            qc_live_new_classes(s);
            if (found <= 0) continue;
            if (take_label(s, &label, windows_come, err)) return -1;
            if (n && windows_come && give_back(s, file, n - i - 1)) return 0;
        }
        if (n == 0) return 1;
    }
    return 2;
}

static int take_labels(QcLive *s, int *file, QcErr *err)
{
    s->keeps_labels = 0;
    int end = read_labels(s, *file, 1, err);
    if (end == 1) close(*file), *file = -1;
    return end < 0 ? -1 : 0;
}

/* After each frame, so that it does not matter how many frames come at once. */
static int take_kept_labels(QcLive *s, int *file, QcErr *err)
{
    return s->keeps_labels && s->late.n < QC_LABELS_WAITING ? take_labels(s, file, err) : 0;
}

/* A FIFO is opened for writing, too, so that it does not end with its first writer. */
static int open_labels(int *file, const char *path, QcErr *err)
{
    *file = -1;
    if (!path) return 0;
    *file = open(path, (qc_is_regular(path) ? O_RDONLY : O_RDWR | O_NONBLOCK) | O_CLOEXEC);
    return *file < 0 ? qc_fail(err, QC_EIO, "%.300s cannot be read: %s", path, strerror(errno)) : 0;
}

/* ---- frames ---- */

/* A window has the label of its labelled frames, if they agree. */
static int32_t label_of_window(const QcLive *s)
{
    int32_t label = -1;
    for (uint32_t i = 0; i < s->frames.length; i++) {
        if (s->frame_label[i] < 0) continue;
        if (label >= 0 && s->frame_label[i] != label) return -1;
        label = s->frame_label[i];
    }
    return label;
}

static int take_frame(QcLive *s, const QcFrameReader *r, QcErr *err)
{
    uint32_t row = s->frames.next;
    s->frame_time[row] = r->seconds;
    s->frame_label[row] = r->class_index;
    s->plausible.name = r->name;
    s->late.is_clock = r->clock.period >= QC_CLOCK_DAY;
    qc_plausible_frame(&s->plausible, r->x);
    if (!qc_frames_push(&s->frames, r->x)) return 0;
    qc_plausible_window(&s->plausible, s->frames.length);
    qc_live_check_inputs(s, 0);
    if (qc_live_save_labels(s, err)) return -1;
    qc_frames_window(&s->frames, qc_livemodel_input(s->model));
    return qc_live_window(
        s, (QcLiveWindow){.id = UINT64_MAX, .stamp = r->stamp, .seconds = r->seconds, .label = label_of_window(s)},
        s->frame_time[s->frames.next], err);
}

static void take_break(QcLive *s, const QcFrameReader *r)
{
    qc_frames_restart(&s->frames);
    if (*r->words && s->breaks_said++ < BREAKS_SAID)
        qc_live_say(s, QC_LIVE_WARNING, "%s; the window starts anew%s", r->words,
                    s->breaks_said == BREAKS_SAID ? " (no more is said of it until a window is full)" : "");
    else if (*r->words && s->breaks_said == BREAKS_MANY)
        qc_live_say(s, QC_LIVE_WARNING, "%d breaks, and no window among them: if frames come in bursts, leave out "
                    "their times (--time-column none)", BREAKS_MANY);
}

/* All frames that have arrived. */
static int take_frames(QcLive *s, QcFrameReader *r, int *labels, QcErr *err)
{
    QcFrameKind kind;
    while (!s->is_over) {
        if (qc_framereader_next(r, &kind, err)) return -1;
        if (*r->note) qc_live_say(s, QC_LIVE_WARNING, "%s", r->note);
        qc_live_new_classes(s);
        *r->note = 0;
        s->counts.breaks = r->breaks;
        s->counts.filled = r->filled;
        if (kind == QC_FRAME_NONE) return 0;
        if (kind == QC_FRAME_BREAK)
            take_break(s, r);
        else if (s->counts.frames++, take_frame(s, r, err) || take_kept_labels(s, labels, err))
            return -1;
    }
    return 0;
}

/* 1: the input has ended. */
static int read_frames(QcFrameReader *r, int input, QcErr *err)
{
    size_t room;
    uint8_t *to = qc_framereader_room(r, &room);
    ssize_t n = read(input, to, room < 65536 ? room : 65536);
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    if (n < 0) return qc_fail(err, QC_EIO, "standard input cannot be read: %s", strerror(errno));
    qc_framereader_add(r, (size_t)n);
    return n == 0;
}

static int read_last_labels(QcLive *s, QcFrameReader *r, int labels, QcErr *err)
{
    int more = labels >= 0 ? 2 : 0;
    while (more == 2 && !s->is_over) {
        more = read_labels(s, labels, 0, err);
        qc_livesignals_poll(NULL, 0, 0);
        qc_live_take_signals(s, r);
    }
    return more < 0 ? -1 : 0;
}

static int run(QcLive *s, QcFrameReader *r, int input, int *labels, QcErr *err)
{
    for (int ended = 0; !ended && !s->is_over;) {
        int late = s->keeps_labels ? -1 : *labels;
        struct pollfd ready[2] = {{.fd = input, .events = POLLIN}, {.fd = late, .events = POLLIN}};
        int n = qc_livesignals_poll(ready, 2, 1);
        if (n < 0 && errno != EINTR)
            return qc_fail(err, QC_EIO, "standard input cannot be waited for: %s", strerror(errno));
        if (n > 0) qc_livesignals_poll(NULL, 0, 0); /* a signal that came before these bytes counts before them */
        qc_live_take_signals(s, r);
        if (n > 0 && ready[1].revents && take_labels(s, labels, err)) return -1;
        if (n <= 0 || !ready[0].revents) continue;
        ended = read_frames(r, input, err);
        if (ended < 0 || take_frames(s, r, labels, err)) return -1;
    }
    return read_last_labels(s, r, *labels, err);
}

static int open_frames(QcLive *s, uint32_t stride, QcErr *err)
{
    const QcModelFile *m = &s->model->model;
    if (m->height > 1)
        return qc_fail(err, QC_EUSAGE,
                       "the model takes pictures of %u x %u pixels, not frames of a series: give it windows (-d)",
                       m->height, m->length);
    s->ring = qc_arena_take(&s->arena, m->length, m->channels, err);
    s->frame_time = qc_arena_take(&s->arena, m->length, sizeof *s->frame_time, err);
    s->frame_label = qc_arena_take(&s->arena, m->length, sizeof *s->frame_label, err);
    if (!s->ring || !s->frame_time || !s->frame_label) return -1;
    qc_frames_init(&s->frames, &s->model->g.tensors[0], m->norm.mean, m->norm.deviation, stride ? stride : m->length,
                   s->ring);
    return 0;
}

int qc_live_frames(QcLive *s, int input, const QcFrameOptions *frames, uint32_t stride, const char *labels, QcErr *err)
{
    QcFrameReader r = {0};
    int file = -1, status = -1;
    qc_livesignals_hold();
    if (!open_frames(s, stride, err) && !qc_framereader_open(&r, &s->model->model, frames, err) &&
        !open_labels(&file, labels, err)) {
        r.takes_classes = s->model->learns;
        qc_live_report(s, (QcLiveReport){.event = QC_LIVE_STARTED});
        status = run(s, &r, input, &file, err) || qc_live_finish(s, err) || check_windows(s, err) ? -1 : 0;
    }
    if (file >= 0) close(file);
    qc_framereader_close(&r);
    return status;
}

static int check_data(QcLive *s, const QcInputs *data, const char *path, QcErr *err)
{
    char words[QC_PLAUSIBLE_WORDS];
    int found = qc_plausible_inputs(words, data, &s->model->model, err);
    if (found > 0) qc_live_say(s, QC_LIVE_WARNING, "%.150s: %s", qc_input_name(path), words);
    if (data->n_unknown)
        qc_live_say(s, QC_LIVE_WARNING,
                    "%.150s: %u windows are of classes that the model does not know, such as '%.60s': they count as "
                    "unlabelled",
                    qc_input_name(path), data->n_unknown, data->unknown);
    return found < 0 ? -1 : 0;
}

int qc_live_data(QcLive *s, const char *path, QcErr *err)
{
    QcInputs data = {0};
    QcLiveModel *m = s->model;
    int status = m->learns ? qc_inputs_open_stream(&data, path, &m->model, &m->g, QC_LABELS_OPTIONAL, err)
                           : qc_inputs_open(&data, path, &m->model, &m->g, 0, QC_LABELS_KNOWN, err);
    qc_livesignals_hold();
    if (!status) qc_live_report(s, (QcLiveReport){.event = QC_LIVE_STARTED});
    if (!status) qc_live_new_classes(s);
    if (!status) status = check_data(s, &data, path, err);
    for (uint32_t i = 0; i < data.n && !status && !s->is_over; i++) {
        qc_livesignals_poll(NULL, 0, 0);
        qc_live_take_signals(s, NULL);
        status = qc_live_save_labels(s, err) || qc_inputs_read(&data, qc_livemodel_input(s->model), i, err) ||
                         qc_live_window(
                             s,
                             (QcLiveWindow){.id = data.data.id[i], .stamp = "", .seconds = NAN, .label = data.label[i]},
                             NAN, err)
                     ? -1
                     : 0;
    }
    if (!status) status = qc_live_finish(s, err);
    qc_inputs_close(&data);
    return status;
}
