/* Calibrated stacking and temperature. How far the head lowers classes that the stream has shown follows from the
 * margins of a head that lowers none. How it scales its logits follows from the losses at other scales. */
#include "suite.h"
#include "tiny.h"
#include "headbench.h"

enum { BATCH = 12 };

/* The ring has BATCH examples of `classes` classes from `first` on; `before` more examples of each of these classes are
 * counted. */
static void begin(TinyKind kind, int bits, uint32_t first, uint32_t classes, uint32_t before)
{
    bench_begin(kind, bits);
    for (uint32_t e = SOURCE; e < ALL; e++) {
        b.label[e] = (uint16_t)((first + e % classes) % TINY_CLASSES);
        b.used[e] = e < SOURCE + BATCH;
        for (uint32_t i = 0; i < b.shape.features; i++)
            b.q[e][i] = (uint8_t)(80 + (i % TINY_CLASSES == b.label[e] ? 60 : 0) + (e * 7 + i * 5) % 23);
    }
    bench_gather();
    for (uint32_t i = 0; i < classes; i++) {
        uint32_t k = (first + i) % TINY_CLASSES;
        b.stream.count[k] = before;
        for (uint32_t f = 0; f < b.shape.features; f++)
            b.stream.mean[k * b.shape.features + f] = (float)((f % TINY_CLASSES == k ? 130 : 70) - b.shape.zero);
    }
    b.task.few_classes = b.task.expects_unseen = 1;
}

static void solve(float stacking_bias)
{
    b.parameters.stacking_bias = stacking_bias;
    ck_assert(qc_head_solve(&b.layer, b.right, &b.loss, &b.scratch, &b.task));
}

/* By how much the labels of the ring are ahead of all classes that are not shown, on average. */
static double margin_over_unseen(uint32_t first, uint32_t classes)
{
    double sum = 0;
    for (uint32_t e = SOURCE; e < SOURCE + BATCH; e++) {
        float logits[TINY_CLASSES], other = -INFINITY;
        class_of(&b.layer, b.q[e], logits);
        for (uint32_t i = classes; i < TINY_CLASSES; i++) other = fmaxf(other, logits[(first + i) % TINY_CLASSES]);
        sum += (double)logits[b.label[e]] - (double)other;
    }
    return sum / BATCH;
}

static int is_shown(uint32_t k, uint32_t first, uint32_t classes)
{
    return (k + TINY_CLASSES - first) % TINY_CLASSES < classes;
}

/* The bias of a shown class falls by share * the margin, in units of that bias; nothing else of the layer but the
 * temperature changes. */
static void expect_lowered_by(double share, uint32_t first, uint32_t classes)
{
    uint8_t codes[TINY_CLASSES * MOST];
    int32_t bias[TINY_CLASSES];
    solve(0);
    double margin = margin_over_unseen(first, classes), unit[TINY_CLASSES];
    ck_assert_double_gt(margin, 0);
    memcpy(codes, b.layer.codes, qc_head_code_bytes(&b.shape));
    memcpy(bias, b.layer.bias, sizeof bias);
    for (uint32_t k = 0; k < TINY_CLASSES; k++) unit[k] = (double)(b.layer.scale[k] * b.shape.step);
    solve(0.7f);
    ck_assert_mem_eq(codes, b.layer.codes, qc_head_code_bytes(&b.shape));
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        double lower = is_shown(k, first, classes) ? 0.7 * share * margin / unit[k] : 0;
        ck_assert_double_eq_tol((double)bias[k] - (double)b.layer.bias[k], lower,
                                is_shown(k, first, classes) ? 1 + 1e-4 * lower : 0.1);
    }
}

/* The full bias; a tenth, because 640 examples of each shown class have come; a quarter, because no class was new
 * for four times the examples of a class. */
START_TEST(stacking_lowers_shown_classes_by_share_of_margin)
{
    static const struct {
        uint32_t before, waited;
        double share;
    } waits[] = {{0, 0, 1}, {640, 0, 0.1}, {64, 4 * 64, 0.25}};
    for (int w = 0; w < 3; w++)
        for (uint32_t classes = 1; classes <= 2; classes++)
            for (uint32_t first = 0; first < TINY_CLASSES; first++) {
                uint32_t of_batch = BATCH / classes, before = waits[w].before ? waits[w].before - of_batch : 0;
                begin((TinyKind)_i, 2 << (_i + w) % 3, first, classes, before);
                b.task.waited = waits[w].waited ? waits[w].waited - 1 : 0;
                expect_lowered_by(waits[w].share * sqrt(1 - (double)classes / TINY_CLASSES), first, classes);
                bench_end();
            }
}
END_TEST

/* _i: the batch has many classes; all classes are shown; the margin is not positive, because the ring's labels are
 * wrong. */
START_TEST(stacking_is_off_otherwise)
{
    enum { MANY_CLASSES, ALL_SHOWN, NO_MARGIN };
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        int32_t bias[TINY_CLASSES];
        begin((TinyKind)kind, 8, 0, 1, 0);
        if (_i == MANY_CLASSES) b.task.few_classes = b.task.expects_unseen = 0;
        for (uint32_t k = 0; k < TINY_CLASSES && _i == ALL_SHOWN; k++) {
            if (!b.stream.count[k])
                memcpy(b.stream.mean + k * b.shape.features, b.stream.mean, b.shape.features * sizeof(float));
            b.stream.count[k] = 1;
        }
        if (_i == NO_MARGIN) { /* each window looks like the source's mean of class 1, and counts next to nothing */
            b.parameters.prior_count = 1e6f;
            for (uint32_t row = 0; row < BATCH; row++)
                for (uint32_t i = 0; i < b.shape.features; i++)
                    qc_slot_features(&b.ring, row)[i] = b.q[row + SOURCE][i] =
                        (uint8_t)(80 + (i % TINY_CLASSES == 1 ? 70 : 0));
        }
        solve(0);
        if (_i == NO_MARGIN) ck_assert_double_lt(margin_over_unseen(0, 1), 0);
        memcpy(bias, b.layer.bias, sizeof bias);
        solve(0.7f);
        ck_assert_mem_eq(bias, b.layer.bias, sizeof bias);
        bench_end();
    }
}
END_TEST

/* ---- temperature ---- */

/* In double: of the layer's logits times `factor`, classes balanced. */
static double loss_scaled(double factor)
{
    double loss = 0, count[TINY_CLASSES] = {0}, present = 0;
    for (uint32_t i = 0; i < b.set.n; i++) present += count[qc_set_label(&b.set, i)]++ == 0;
    for (uint32_t i = 0; i < b.set.n; i++) {
        float logits[TINY_CLASSES];
        double sum = 0;
        uint16_t label = qc_set_label(&b.set, i);
        class_of(&b.layer, qc_set_features(&b.set, i), logits);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) sum += exp(factor * (double)logits[k]);
        loss += (log(sum) - factor * (double)logits[label]) / (present * count[label]);
    }
    return loss;
}

/* Logits shrink by six tenths for as long as that lowers the loss on the set, or leaves it at temperature_loss; eight
 * times at most. */
static void expect_best_temperature(double enough)
{
    double colder = loss_scaled(0.6), loss = loss_scaled(1), hotter = loss_scaled(1 / 0.6);
    double factor = (double)(b.layer.scale[0] * b.shape.step) / (double)b.scratch.scale[0];
    if (factor > 1.1 * pow(0.6, 8)) ck_assert(colder > enough - 1e-6 && colder > loss - 1e-6);
    if (factor < 0.99) ck_assert(loss < enough + 1e-6 || hotter > loss - 1e-6);
    double steps = log(factor) / log(0.6);
    ck_assert_double_eq_tol(steps, round(steps), 1e-3);
}

/* _i: kind. Losses that are good enough: none, the default, all. Some examples have the label of another class. */
START_TEST(temperature_is_best_or_highest_with_acceptable_loss)
{
    const float enough[] = {0, 0.03f, 0.4f, 100};
    double least = 1, largest = 0;
    for (int e = 0; e < 4; e++)
        for (uint32_t noise = 0; noise < 2; noise++) {
            bench_begin((TinyKind)_i, 8);
            b.parameters.temperature_loss = enough[e];
            for (uint32_t i = SOURCE; i < ALL && noise; i += 5)
                b.label[i] = (uint16_t)((b.label[i] + 1) % TINY_CLASSES);
            ck_assert(bench_solve());
            expect_best_temperature((double)enough[e]);
            ck_assert_double_eq_tol((double)b.loss, loss_scaled(1), 2e-5 * (1 + loss_scaled(1)));
            double factor = (double)(b.layer.scale[0] * b.shape.step) / (double)b.scratch.scale[0];
            least = fmin(least, factor);
            largest = fmax(largest, factor);
            bench_end();
        }
    ck_assert_double_eq_tol(least, pow(0.6, 8), 1e-4);
    ck_assert_double_gt(largest, least * 1.5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stacking");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, stacking_lowers_shown_classes_by_share_of_margin, 0, TINY_KINDS);
    tcase_add_loop_test(t, stacking_is_off_otherwise, 0, 3);
    tcase_add_loop_test(t, temperature_is_best_or_highest_with_acceptable_loss, 0, TINY_KINDS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
