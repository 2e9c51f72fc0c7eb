#include "livepicture.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../base/text.h"

enum { WIDTH = 960, LEFT = 60, PLOT = 880, TOP = 60, HIGH = 180, GAP = 40 };

static const char *const outcome_words[] = {"the last layer stays", "a new last layer", "refused"},
                  *const outcome_colours[] = {"#8c8c8c", "#009e73", "#d55e00"};

/* What is drawn: a value per point, NaN if there is none. */
typedef struct Curves {
    uint32_t n; /* points */
    float confidence[QC_PICTURE_POINTS], accuracy[QC_PICTURE_POINTS], drift[QC_PICTURE_POINTS];
    float low, high; /* of drift and threshold */
    int has_drift, has_labels;
} Curves;

/* ---- curves ---- */

/* right [QC_PICTURE_LABELS] goes round. */
typedef struct Running {
    uint32_t n;
    int right[QC_PICTURE_LABELS];
} Running;

static float accuracy_after(Running *r, const QcTraceWindow *w)
{
    uint32_t held, right = 0;
    if (w->label >= 0) r->right[r->n++ % QC_PICTURE_LABELS] = (uint32_t)w->label == w->class_index;
    held = r->n < QC_PICTURE_LABELS ? r->n : QC_PICTURE_LABELS;
    for (uint32_t i = 0; i < held; i++) right += (uint32_t)r->right[i];
    return held ? (float)right / (float)held : NAN;
}

static void find_point(Curves *c, uint32_t point, const QcLiveTrace *t, uint32_t from, uint32_t to, Running *running)
{
    float confidence = 0, drift = 0, n = 0;
    for (uint32_t i = from; i < to; i++) {
        const QcTraceWindow *w = &t->windows[i];
        confidence += w->confidence;
        c->accuracy[point] = accuracy_after(running, w);
        if (isnan(w->drift)) continue;
        drift += w->drift;
        n++;
    }
    c->confidence[point] = confidence / (float)(to - from);
    c->drift[point] = n > 0 ? drift / n : NAN;
    if (n > 0) {
        c->low = fminf(c->low, c->drift[point]);
        c->high = fmaxf(c->high, c->drift[point]);
    }
    c->has_drift |= n > 0;
    c->has_labels |= running->n > 0;
}

static void find_curves(Curves *c, const QcLiveTrace *t)
{
    Running running = {0};
    *c = (Curves){.n = t->n < QC_PICTURE_POINTS ? t->n : QC_PICTURE_POINTS, .low = 0, .high = 0.1f};
    if (!isnan(t->threshold)) c->high = fmaxf(c->high, (float)t->threshold);
    for (uint32_t p = 0; p < c->n; p++)
        find_point(c, p, t, (uint32_t)((uint64_t)p * t->n / c->n), (uint32_t)((p + 1ull) * t->n / c->n), &running);
}

/* ---- drawing ---- */

typedef struct Panel {
    double top, low, high;
} Panel;

static double y_of(const Panel *p, double value) { return p->top + HIGH * (p->high - value) / (p->high - p->low); }
static double x_of(const QcLiveTrace *t, uint32_t window) { return LEFT + PLOT * (double)window / (double)t->n; }

static void draw_curve(FILE *to, const Panel *p, const char *name, const char *colour, const float *y, uint32_t n)
{
    const char *command = "M";
    fprintf(to, "<path class=\"curve\" id=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" d=\"", name, colour);
    for (uint32_t i = 0; i < n; i++) {
        if (isnan(y[i])) {
            command = "M";
            continue;
        }
        fprintf(to, "%s%.1f %.1f", command, LEFT + PLOT * (i + .5) / n, y_of(p, (double)y[i]));
        command = "L";
    }
    fprintf(to, "\"><title>%s</title></path>\n", name);
}

static void draw_panel(FILE *to, const Panel *p)
{
    for (int i = 0; i <= 4; i++) {
        double value = p->low + (p->high - p->low) * i / 4, y = y_of(p, value);
        fprintf(to, "<path stroke=\"#d8d8d8\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.2g"
                "</text>\n", LEFT, y, LEFT + PLOT, LEFT - 6, y + 4, value);
    }
}

static void draw_word(FILE *to, double x, double y, const char *colour, const char *word)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", x, y, colour, word);
}

static void draw_adapts(FILE *to, const QcLiveTrace *t, double bottom)
{
    for (uint32_t i = 0; i < t->n_adapts; i++) {
        const QcTraceAdapt *a = &t->adapts[i];
        double x = x_of(t, a->at);
        fprintf(to, "<path class=\"adapt\" stroke=\"%s\" stroke-opacity=\".6\" d=\"M%.1f %dV%.1f\"><title>adapt %u: %u "
                "labels, %s</title></path>\n", outcome_colours[a->outcome], x, TOP - 8, bottom, a->number, a->labels,
                outcome_words[a->outcome]);
    }
    for (uint32_t i = 0; i < t->n_starts; i++)
        fprintf(to, "<path class=\"start\" stroke=\"#000\" stroke-dasharray=\"2 3\" d=\"M%.1f %dV%.1f\"><title>the "
                "process began again</title></path>\n", x_of(t, t->starts[i]), TOP - 8, bottom);
}

static void draw_axis(FILE *to, const QcLiveTrace *t, double bottom)
{
    for (int i = 0; i <= 4; i++) {
        uint32_t window = (uint32_t)((uint64_t)t->n * (uint32_t)i / 4);
        const QcTraceWindow *w = &t->windows[window < t->n ? window : t->n - 1];
        const char *anchor = i == 0 ? "start" : i == 4 ? "end" : "middle";
        double x = x_of(t, window);
        fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%" PRIu64 "</text>\n", x, bottom + 18, anchor,
                w->number);
        if (i != 0 && i != 4) continue;
        fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, bottom + 36, anchor);
        qc_text_put(to, w->time, QC_TEXT_XML);
        fputs("</text>\n", to);
    }
    fprintf(to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">window</text>\n", LEFT + PLOT / 2, bottom + 36);
}

static void draw_drift(FILE *to, const QcLiveTrace *t, const Curves *c, const Panel *p)
{
    draw_panel(to, p);
    draw_curve(to, p, "drift", "#cc79a7", c->drift, c->n);
    draw_word(to, LEFT, p->top - 6, "#cc79a7", "drift");
    if (isnan(t->threshold)) return;
    fprintf(to, "<path id=\"threshold\" stroke=\"#d55e00\" stroke-dasharray=\"6 4\" d=\"M%d %.1fH%d\"><title>threshold "
            "%.3g</title></path>\n", LEFT, y_of(p, t->threshold), LEFT + PLOT, t->threshold);
    draw_word(to, LEFT + 50, p->top - 6, "#d55e00", "threshold of alarms");
}

void qc_livepicture_svg(FILE *to, const QcLiveTrace *t)
{
    Curves c;
    find_curves(&c, t);
    Panel shares = {TOP, 0, 1}, drift = {TOP + HIGH + GAP, (double)c.low, (double)c.high};
    double bottom = (c.has_drift ? drift.top : shares.top) + HIGH;
    fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
            "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, bottom + 50, WIDTH, bottom + 50);
    draw_panel(to, &shares);
    draw_curve(to, &shares, "confidence", "#0072b2", c.confidence, c.n);
    draw_word(to, LEFT, 20, "#0072b2", "confidence");
    if (c.has_labels) {
        draw_curve(to, &shares, "accuracy", "#000000", c.accuracy, c.n);
        draw_word(to, LEFT + 90, 20, "#000000", "accuracy of the latest labelled windows");
    }
    if (c.has_drift) draw_drift(to, t, &c, &drift);
    for (int i = 0; i < 3 && t->n_adapts; i++)
        draw_word(to, LEFT + 185 * i, 40, outcome_colours[i], i ? outcome_words[i] : "adapt: the last layer stays");
    draw_adapts(to, t, bottom);
    draw_axis(to, t, bottom);
    fputs("</svg>\n", to);
}

/* ---- the page ---- */

typedef struct Totals {
    uint32_t labelled, right, alarms, refused;
} Totals;

static Totals count(const QcLiveTrace *t)
{
    Totals n = {0};
    for (uint32_t i = 0; i < t->n; i++) {
        const QcTraceWindow *w = &t->windows[i];
        n.labelled += w->label >= 0;
        n.right += w->label >= 0 && (uint32_t)w->label == w->class_index;
        n.alarms += (uint32_t)w->alarm;
    }
    for (uint32_t i = 0; i < t->n_adapts; i++) n.refused += t->adapts[i].outcome == QC_TRACE_REFUSED;
    return n;
}

static void print_totals(FILE *to, const QcLiveTrace *t)
{
    Totals n = count(t);
    fprintf(to, "<table id=\"session\"><tr><th>windows<th>labelled<th>right of these<th>alarms<th>adapts<th>refused<th>"
            "restarts\n<tr><td>%u<td>%u<td>", t->n, n.labelled);
    if (n.labelled) fprintf(to, "%u (%.3f)", n.right, (double)n.right / n.labelled);
    fprintf(to, "<td>%u<td>%u<td>%u<td>%u</table>\n", n.alarms, t->n_adapts, n.refused, t->n_starts);
}

typedef struct ClassCounts {
    uint32_t predicted, labelled, right;
} ClassCounts;

static int print_classes(FILE *to, const QcLiveTrace *t, QcErr *err)
{
    QcArena scratch = {0};
    ClassCounts *counts = qc_arena_take(&scratch, t->n_classes, sizeof *counts, err);
    if (!counts) return -1;
    for (uint32_t i = 0; i < t->n; i++) {
        const QcTraceWindow *w = &t->windows[i];
        counts[w->class_index].predicted++;
        if (w->label < 0) continue;
        counts[w->label].labelled++;
        counts[w->label].right += w->label == (int32_t)w->class_index;
    }
    fputs("<h2>Classes</h2>\n<table id=\"classes\"><tr><th>class<th>predicted<th>labelled<th>right of these\n", to);
    for (uint32_t k = 0; k < t->n_classes; k++) {
        fputs("<tr><td>", to);
        qc_text_put(to, t->classes[k], QC_TEXT_XML);
        fprintf(to, "<td>%u<td>%u<td>%u\n", counts[k].predicted, counts[k].labelled, counts[k].right);
    }
    fputs("</table>\n</html>\n", to);
    qc_arena_release(&scratch);
    return 0;
}

static void print_adapts(FILE *to, const QcLiveTrace *t)
{
    fputs("<h2>Adapts</h2>\n<table id=\"adapts\"><tr><th>adapt<th>after window<th>labels<th>right before<th>right after"
          "<th>source right before<th>source right after<th>outcome\n", to);
    for (uint32_t i = 0; i < t->n_adapts; i++) {
        const QcTraceAdapt *a = &t->adapts[i];
        fprintf(to, "<tr><td>%u<td>", a->number);
        if (a->at) fprintf(to, "%" PRIu64, t->windows[a->at - 1].number);
        fprintf(to, "<td>%u<td>%u<td>%u<td>%u of %u<td>%u of %u<td>%s\n", a->labels, a->right_before, a->right_after,
                a->source_before, a->source, a->source_after, a->source, outcome_words[a->outcome]);
    }
    fputs("</table>\n", to);
}

int qc_livepicture_html(FILE *to, const QcLiveTrace *t, QcErr *err)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>qcore live session</title>\n"
          "<style>body{font-family:sans-serif;max-width:960px;margin:1em auto}table{border-collapse:collapse}"
          "th,td{border-bottom:1px solid #d8d8d8;padding:.2em .8em;text-align:right}svg{max-width:100%;height:auto}"
          "</style>\n<h1>qcore live session</h1>\n<p>", to);
    qc_text_put(to, t->windows[0].time, QC_TEXT_XML);
    fputs(*t->windows[0].time ? " to " : "", to);
    qc_text_put(to, t->windows[t->n - 1].time, QC_TEXT_XML);
    fputs("</p>\n", to);
    print_totals(to, t);
    qc_livepicture_svg(to, t);
    if (t->n_adapts) print_adapts(to, t);
    return print_classes(to, t, err);
}
