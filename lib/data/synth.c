#include "synth.h"

#include <math.h>
#include <stdio.h>

#include "../base/rng.h"

const QcSynthOptions qc_synth_defaults = {
    .activities = 8, .subjects = 3, .windows = 40, .channels = 9, .length = 100, .drift = 1, .seed = 1};

enum { HARMONICS = 4, AXES = 3, SENSORS_MAX = 333, POSTURES = 3 };
enum { STREAM_ACTIVITY = 1, STREAM_POSTURE, STREAM_PERSON, STREAM_STYLE, STREAM_RECORDING };

static const double two_pi = 6.283185307179586;

/* Properties of the three kinds of sensor: distance of the rest value from zero, amplitude of movement, noise. */
typedef struct Kind {
    double rest, movement, noise;
} Kind;
static const Kind kinds[3] = {{9.81, 4.0, 0.35}, {0.1, 1.5, 0.10}, {0.6, 0.25, 0.02}};

/* Known activities have a pace (cycles per second), a vigour and a posture; other activities are drawn at random. */
typedef struct Known {
    const char *name;
    double pace, vigour;
    int posture;
} Known;
static const Known known[] = {
    {"lying", 0.25, 0.02, 0},    {"sitting", 0.3, 0.04, 1},   {"standing", 0.35, 0.05, 2}, {"walking", 0.9, 0.5, 2},
    {"running", 1.4, 1.3, 2},    {"climbing", 0.75, 0.5, 2},  {"cycling", 1.1, 0.45, 1},   {"rowing", 0.5, 0.8, 1},
    {"jumping", 1.8, 1.5, 2},    {"sweeping", 0.6, 0.35, 2},  {"typing", 2.5, 0.08, 1},    {"stretching", 0.2, 0.4, 0},
};
enum { KNOWN = sizeof known / sizeof *known };

typedef struct Activity {
    double pace, vigour;
    double rest[SENSORS_MAX][AXES];
    double amplitude[SENSORS_MAX][AXES][HARMONICS], phase[SENSORS_MAX][AXES][HARMONICS];
} Activity;

typedef struct Person {
    double pace;
    double turn[SENSORS_MAX][AXES][AXES]; /* rotation of each sensor */
    double gain[SENSORS_MAX][AXES], offset[SENSORS_MAX][AXES];
} Person;

/* A random process around 0 with deviation 1 and a correlation time of `seconds`. */
typedef struct Wander {
    double value, keep;
} Wander;

static Wander wander_start(QcRng *rng, double seconds)
{
    return (Wander){.value = qc_rng_normal(rng), .keep = exp(-1 / (seconds * QC_SYNTH_RATE))};
}

static double wander_step(Wander *w, QcRng *rng)
{
    return w->value = w->keep * w->value + sqrt(1 - w->keep * w->keep) * qc_rng_normal(rng);
}

static QcRng stream(const QcSynthOptions *o, uint32_t purpose, uint32_t a, uint32_t b)
{
    return qc_rng_seed(o->seed, (uint64_t)purpose << 48 | (uint64_t)a << 24 | b);
}

static void draw_direction(double out[AXES], QcRng *rng)
{
    double length = 0;
    for (int i = 0; i < AXES; i++) {
        out[i] = qc_rng_normal(rng);
        length += out[i] * out[i];
    }
    for (int i = 0; i < AXES; i++) out[i] /= sqrt(length) + 1e-12;
}

/* The same posture turns a sensor to about the same direction in every activity that has it. */
static void draw_rest(Activity *a, const QcSynthOptions *o, int posture, uint32_t sensors, QcRng *rng)
{
    QcRng at_posture = stream(o, STREAM_POSTURE, (uint32_t)posture, 0);
    for (uint32_t s = 0; s < sensors; s++) {
        double common[AXES], own[AXES];
        draw_direction(common, &at_posture);
        draw_direction(own, rng);
        for (int i = 0; i < AXES; i++) a->rest[s][i] = kinds[s % 3].rest * (common[i] + 0.15 * own[i]);
    }
}

static void draw_activity(Activity *a, const QcSynthOptions *o, uint32_t number)
{
    uint32_t sensors = (o->channels + AXES - 1) / AXES;
    QcRng rng = stream(o, STREAM_ACTIVITY, number, 0);
    int posture = number < KNOWN ? known[number].posture : (int)qc_rng_below(&rng, POSTURES);
    a->pace = number < KNOWN ? known[number].pace : 0.2 + 2.2 * qc_rng_unit(&rng);
    a->vigour = number < KNOWN ? known[number].vigour : exp(-3 + 3.3 * qc_rng_unit(&rng));
    draw_rest(a, o, posture, sensors, &rng);
    for (uint32_t s = 0; s < sensors; s++)
        for (int i = 0; i < AXES; i++)
            for (int k = 0; k < HARMONICS; k++) {
                a->amplitude[s][i][k] = kinds[s % 3].movement * fabs(qc_rng_normal(&rng)) / (k + 1);
                a->phase[s][i][k] = two_pi * qc_rng_unit(&rng);
            }
}

/* exp([u]x) by Rodrigues: how a sensor sits on another body. */
static void draw_turn(double turn[AXES][AXES], double spread, QcRng *rng)
{
    double u[AXES], angle = 0;
    for (int i = 0; i < AXES; i++) {
        u[i] = spread * qc_rng_normal(rng);
        angle += u[i] * u[i];
    }
    angle = sqrt(angle);
    double f = angle > 1e-12 ? sin(angle) / angle : 1, g = angle > 1e-12 ? (1 - cos(angle)) / (angle * angle) : 0.5;
    const double cross[AXES][AXES] = {{0, -u[2], u[1]}, {u[2], 0, -u[0]}, {-u[1], u[0], 0}};
    for (int i = 0; i < AXES; i++)
        for (int j = 0; j < AXES; j++)
            turn[i][j] = (i == j) + f * cross[i][j] + g * (u[i] * u[j] - (i == j) * angle * angle);
}

static void draw_person(Person *p, const QcSynthOptions *o, uint32_t number)
{
    uint32_t sensors = (o->channels + AXES - 1) / AXES;
    QcRng rng = stream(o, STREAM_PERSON, number, 0);
    p->pace = exp(0.13 * o->drift * qc_rng_normal(&rng));
    for (uint32_t s = 0; s < sensors; s++) {
        const Kind *kind = &kinds[s % 3];
        draw_turn(p->turn[s], 0.33 * o->drift, &rng);
        for (int i = 0; i < AXES; i++) {
            p->gain[s][i] = exp(0.13 * o->drift * qc_rng_normal(&rng));
            p->offset[s][i] = 0.13 * o->drift * (kind->movement + 0.2 * kind->rest) * qc_rng_normal(&rng);
        }
    }
}

/* The person's own way of doing this: weights and delays of the harmonics. */
static void add_style(Activity *a, const QcSynthOptions *o, uint32_t person, uint32_t activity)
{
    uint32_t sensors = (o->channels + AXES - 1) / AXES;
    QcRng rng = stream(o, STREAM_STYLE, person, activity);
    a->vigour *= exp(0.16 * o->drift * qc_rng_normal(&rng));
    a->pace *= exp(0.04 * o->drift * qc_rng_normal(&rng));
    for (uint32_t s = 0; s < sensors; s++)
        for (int k = 0; k < HARMONICS; k++) {
            double weight = exp(0.26 * o->drift * qc_rng_normal(&rng)), delay = 0.33 * o->drift * qc_rng_normal(&rng);
            for (int i = 0; i < AXES; i++) {
                a->amplitude[s][i][k] *= weight;
                a->phase[s][i][k] += delay;
            }
        }
}

/* One time step of one sensor as the body moves: posture and harmonics. */
static void move_sensor(double v[AXES], const Activity *a, uint32_t s, double phase, double vigour,
                        const double lean[AXES])
{
    for (int i = 0; i < AXES; i++) {
        v[i] = a->rest[s][i] + 0.05 * kinds[s % 3].rest * lean[(s + i) % AXES];
        for (int k = 0; k < HARMONICS; k++)
            v[i] += vigour * a->amplitude[s][i][k] * sin((k + 1) * phase + a->phase[s][i][k]);
    }
}

/* The windows of one recording lie one after another in x, each [channels][length]. */
static void record(float *x, const Activity *a, const Person *p, const QcSynthOptions *o, QcRng rng)
{
    uint32_t sensors = (o->channels + AXES - 1) / AXES;
    Wander pace = wander_start(&rng, 10), vigour = wander_start(&rng, 10), lean[AXES];
    for (int i = 0; i < AXES; i++) lean[i] = wander_start(&rng, 10);
    double phase = two_pi * qc_rng_unit(&rng);
    for (uint32_t w = 0; w < o->windows; w++, x += (size_t)o->channels * o->length)
        for (uint32_t t = 0; t < o->length; t++) {
            phase =
                fmod(phase + two_pi * a->pace * p->pace * exp(0.04 * wander_step(&pace, &rng)) / QC_SYNTH_RATE, two_pi);
            double strength = a->vigour * exp(0.2 * wander_step(&vigour, &rng)), leaning[AXES];
            for (int i = 0; i < AXES; i++) leaning[i] = wander_step(&lean[i], &rng);
            for (uint32_t s = 0; s < sensors; s++) {
                double v[AXES];
                move_sensor(v, a, s, phase, strength, leaning);
                for (uint32_t i = 0; i < AXES; i++) {
                    double turned = p->turn[s][i][0] * v[0] + p->turn[s][i][1] * v[1] + p->turn[s][i][2] * v[2];
                    double noise = kinds[s % 3].noise * qc_rng_normal(&rng); /* drawn for absent axes, too, so that
                                                                              * the number of channels does not
                                                                              * change the others */
                    if (s * AXES + i < o->channels)
                        x[(size_t)(s * AXES + i) * o->length + t] =
                            (float)(p->gain[s][i] * turned + p->offset[s][i] + noise);
                }
            }
        }
}

static int describe(QcDataset *d, const QcSynthOptions *o, uint32_t person, uint32_t activity, uint32_t first,
                    QcErr *err)
{
    char label[32], group[32], recording[80];
    snprintf(label, sizeof label, "activity%u", activity + 1);
    const char *name = activity < KNOWN ? known[activity].name : label;
    snprintf(group, sizeof group, "p%u", person + 1);
    snprintf(recording, sizeof recording, "%s/%s", group, name);
    uint32_t l, g, r;
    if (qc_names_add(&d->labels, &d->arena, name, &l, err) || qc_names_add(&d->groups, &d->arena, group, &g, err) ||
        qc_names_add(&d->recordings, &d->arena, recording, &r, err))
        return -1;
    for (uint32_t w = 0; w < o->windows; w++) {
        d->label[first + w] = (int32_t)l;
        d->group[first + w] = g;
        d->recording[first + w] = r;
        d->id[first + w] = ((person + 1) * (uint64_t)1000 + activity + 1) * 1000000 + w + 1;
    }
    return 0;
}

const char *qc_synth_validate(const QcSynthOptions *o)
{
    if (!o->activities || o->activities > 999) return "the number of activities must be from 1 to 999";
    if (!o->subjects || o->subjects > 999) return "the number of subjects must be from 1 to 999";
    if (!o->windows || o->windows > 999999) return "the number of windows must be from 1 to 999999";
    if (!o->channels || o->channels > SENSORS_MAX * AXES) return "the number of channels must be from 1 to 999";
    if (!o->length || o->length > 65535) return "the length of a window must be from 1 to 65535";
    if (!(o->drift >= 0 && o->drift <= 10)) return "the strength of the drift must be from 0 to 10";
    return NULL;
}

static int synthesise(QcDataset *d, const QcSynthOptions *o, Activity *a, Person *p, QcErr *err)
{
    uint32_t first = 0;
    for (uint32_t person = 0; person < o->subjects; person++) {
        draw_person(p, o, person);
        for (uint32_t activity = 0; activity < o->activities; activity++, first += o->windows) {
            draw_activity(a, o, activity);
            add_style(a, o, person, activity);
            if (describe(d, o, person, activity, first, err)) return -1;
            record(d->x + first * qc_dataset_values(d), a, p, o, stream(o, STREAM_RECORDING, person, activity));
            if (o->progress) o->progress(o->ctx, first + o->windows, d->n);
        }
    }
    return 0;
}

int qc_synth(QcDataset *d, const QcSynthOptions *o, QcErr *err)
{
    *d = (QcDataset){0};
    const char *wrong = qc_synth_validate(o);
    if (wrong) return qc_fail(err, QC_EUSAGE, "%s", wrong);
    uint64_t n = (uint64_t)o->subjects * o->activities * o->windows;
    if (n > INT32_MAX)
        return qc_fail(err, QC_EUSAGE, "%llu windows are more than a data file holds", (unsigned long long)n);
    QcArena arena = {0};
    Activity *a = qc_arena_take(&arena, 1, sizeof *a, err);
    Person *p = qc_arena_take(&arena, 1, sizeof *p, err);
    int status =
        !a || !p || qc_dataset_init(d, (uint32_t)n, o->channels, 1, o->length, 0, err) || synthesise(d, o, a, p, err)
            ? -1
            : 0;
    if (status) qc_dataset_release(d);
    qc_arena_release(&arena);
    return status;
}
