#include "livestatus.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/clock.h"
#include "cli.h"

enum { LINE_BYTES = 512 };

/* The counts have grown by at most one label since the last report; a window whose label is replaced does not count. */
static void take_labels(QcLiveStatus *s, const QcLiveCounts *c)
{
    if (c->labelled > s->labelled) s->right[s->labelled % QC_STATUS_LABELS] = c->right > s->labelled_right;
    s->labelled = c->labelled;
    s->labelled_right = c->right;
}

static void print_to(char *line, size_t *used, const char *text)
{
    size_t n = strlen(text), room = LINE_BYTES - 1 - *used;
    memcpy(line + *used, text, n < room ? n : room);
    *used += n < room ? n : room;
    line[*used] = 0;
}

static void print_accuracy(char *line, size_t *used, const QcLiveStatus *s)
{
    uint64_t n = s->labelled < QC_STATUS_LABELS ? s->labelled : QC_STATUS_LABELS, right = 0;
    char text[80] = "  no labels";
    for (uint64_t i = 0; i < n; i++) right += s->right[i];
    if (n)
        snprintf(text, sizeof text, "  accuracy %.2f of %" PRIu64 ", %" PRIu64 " labels", (double)right / (double)n, n,
                 s->labelled);
    print_to(line, used, text);
}

/* The most frequent first; the terminal's width ends them. */
static void print_classes(char *line, size_t *used, const QcLiveStatus *s, const QcLive *live)
{
    uint32_t classes = live->model->model.classes, known = classes < QC_STATUS_CLASSES ? classes : QC_STATUS_CLASSES;
    uint8_t is_printed[QC_STATUS_CLASSES] = {0};
    for (uint32_t n = 0; n < known; n++) {
        uint32_t best = UINT32_MAX;
        char number[32];
        for (uint32_t k = 0; k < known; k++)
            if (!is_printed[k] && s->count[k] && (best == UINT32_MAX || s->count[k] > s->count[best])) best = k;
        if (best == UINT32_MAX) return;
        is_printed[best] = 1;
        print_to(line, used, "  ");
        print_to(line, used, live->model->model.labels[best]);
        snprintf(number, sizeof number, " %" PRIu64, s->count[best]);
        print_to(line, used, number);
    }
}

static void draw(const QcLiveStatus *s, const QcLive *live)
{
    const QcLiveCounts *c = &live->counts;
    char line[LINE_BYTES], text[120];
    size_t used = 0;
    snprintf(text, sizeof text, "%" PRIu64 " windows", c->windows);
    print_to(line, &used, text);
    print_accuracy(line, &used, s);
    if (!isnan(s->drift)) {
        snprintf(text, sizeof text, "  drift %.2f%s%.2f", (double)s->drift, live->alarm ? " > " : " of ",
                 (double)live->model->drift.threshold);
        print_to(line, &used, text);
    }
    snprintf(text, sizeof text, "  %" PRIu64 " adapts, %" PRIu64 " refused", c->adapts, c->refused);
    if (live->model->learns) print_to(line, &used, text);
    print_classes(line, &used, s, live);
    struct winsize size = {0};
    qc_status_line(line, ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col);
}

void qc_livestatus_take(QcLiveStatus *s, const QcLiveReport *r)
{
    take_labels(s, &r->live->counts);
    if (r->event == QC_LIVE_WINDOW) {
        if (r->window->answer->class_index < QC_STATUS_CLASSES) s->count[r->window->answer->class_index]++;
        s->drift = r->window->drift;
    }
    double now = qc_seconds();
    if (r->event != QC_LIVE_ADAPT && now - s->drawn < 0.1) return;
    s->drawn = now;
    draw(s, r->live);
}
