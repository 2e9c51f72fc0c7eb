/* adapt.c - counts the predictions of an exported learner ("model") on the first labelled windows of a stream
 * ("windows"), and one adapt after all windows were predicted and labelled. Prints a digest of the learned state,
 * and the RAM. */
#include "counted.h"
#include "model.h"
#include "windows.h"

int main(void)
{
    QcAdaptReport report;
    QcAnswer answer;
    if (model_init()) {
        say("the export and the library do not fit each other\n");
        return 1;
    }
    for (uint32_t i = 0; i < MODEL_BATCH; i++) {
        if (i == 0) COUNT_START();
        model_observe(&answer, stream_windows + (uint64_t)i * MODEL_WINDOW);
        if (i == 0) COUNT_STOP();
        model_label(answer.number, stream_label[i]);
    }
    say("observe\t");
    say_hex(answer.number);
    say("\n");
    COUNT_START();
    model_adapt(&report);
    COUNT_STOP();
    say("adapt\t");
    say_hex(digest_of(model_learner.state, model_learner.state_bytes));
    say("\n# ");
    say_digits(MODEL_MEMORY_BYTES);
    say(" ");
    say_digits(board_stack_peak());
    say("\n");
    return !report.solved;
}
