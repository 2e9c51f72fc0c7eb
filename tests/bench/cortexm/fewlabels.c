/* fewlabels.c - counts what an exported learner ("model") needs with few labels: in each of four batches, the choice of
 * five windows to label, and the adapt after these windows were labelled. A batch repeats the 45 windows of a stream
 * ("windows"). Prints digests of the windows chosen and of the learned state. */
#include "counted.h"
#include "model.h"
#include "windows.h"

enum { WINDOWS = 45, LABELS = 5, BATCHES = 4 };

int main(void)
{
    QcAdaptReport report;
    QcAnswer answer;
    if (model_init()) {
        say("the export and the library do not fit each other\n");
        return 1;
    }
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        uint32_t number[MODEL_BATCH], chosen[LABELS];
        for (uint32_t i = 0; i < MODEL_BATCH; i++) {
            model_observe(&answer, stream_windows + (uint64_t)(i % WINDOWS) * MODEL_WINDOW);
            number[i] = answer.number;
        }
        COUNT_START();
        uint32_t n = model_ask(chosen, LABELS);
        COUNT_STOP();
        say("ask\t");
        say_hex(digest_of(chosen, n * sizeof *chosen));
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t i = 0; i < MODEL_BATCH; i++)
                if (number[i] == chosen[k]) model_label(chosen[k], stream_label[i % WINDOWS]);
        COUNT_START();
        model_adapt(&report);
        COUNT_STOP();
        say("\nadapt\t");
        say_hex(digest_of(model_learner.state, model_learner.state_bytes));
        say("\n");
    }
    return 0;
}
