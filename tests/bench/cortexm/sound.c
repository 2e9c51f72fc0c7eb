/* sound.c - counts one window of random sound through the front-end of an exported network ("model") and its
 * prediction. Prints the number of samples and the answer. */
#include "counted.h"
#include "model.h"

int main(void)
{
    uint32_t state = 1, samples = 0;
    if (model_init()) {
        say("the export and the library do not fit each other\n");
        return 1;
    }
    model_restart(0);
    COUNT_START();
    do samples++;
    while (!model_push((int16_t)(random_next(&state) >> 16)));
    COUNT_STOP();
    say("sound\t");
    say_hex(samples ^ digest_of(&model_answer.class_index, sizeof model_answer.class_index));
    say("\n");
    return 0;
}
