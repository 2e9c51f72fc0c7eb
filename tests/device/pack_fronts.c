/* pack_fronts - some front-ends for sound as C source, for tests/device/cortexm/sounds.c. */
#include <stdio.h>

#include "../../lib/export/cfront.h"
#include "../../lib/format/fronttables.h"

int main(void)
{
    static const QcFrontSetup setups[] = {
        {8000, 200, 80, 40, 0}, {16000, 512, 300, 64, 13}, {8000, 31, 7, 5, 5}, {48000, 4096, 480, 128, 0}};
    enum { N = sizeof setups / sizeof *setups };
    QcErr err;
    QcArena arena = {0};
    printf("#include \"device/frontend.h\"\n\n");
    for (int k = 0; k < N; k++) {
        QcFrontEnd f;
        char name[20];
        snprintf(name, sizeof name, "front%d", k);
        if (qc_fronttables_make(&f, &setups[k], &arena, &err)) return fprintf(stderr, "%s\n", err.text), 1;
        qc_c_front(stdout, name, &f);
    }
    printf("static const QcFrontEnd *const fronts[] = {&front0, &front1, &front2, &front3};\n");
    qc_arena_release(&arena);
    return 0;
}
