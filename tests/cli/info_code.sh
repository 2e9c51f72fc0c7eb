# The code of qc-info --target is what a linked firmware has that calls all functions of the export, and at most 2 KB
# more.
for tool in arm-none-eabi-gcc arm-none-eabi-size; do
    command -v $tool >/dev/null || { echo "there is no $tool" >&2; exit 77; }
done
export OMP_NUM_THREADS=1
lib=$TOP/lib board=$TOP/share/firmware
qc-synth -q --subjects 1 --activities 3 --windows 8 --channels 3 --length 24 -o data.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d data.qcd -o fp.qcm && qc-coreset -q -n 6 -d data.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d data.qcd -o closed.qcm fp.qcm >words &&
    qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd \
        -o flips.qcm closed.qcm >words || exit 1
cat >main.c <<'END'
#include "net.h"
#include "board.h"
static uint8_t window[NET_WINDOW];
static float frame[NET_CHANNELS];
volatile int word;
int main(void)
{
    word = net_init();
    word = net_push(frame);
    net_restart(1);
    word = (int)net_drift();
    word = (int)net_distance();
#ifdef LEARN
    static const QcFlash flash;
    QcAnswer answer;
    QcAdaptReport report;
    uint32_t numbers[4];
    word = net_load_state(&flash);
    word = (int)net_observe(&answer, window);
    word = net_label(answer.number, 1);
    word = (int)net_ask(numbers, 4);
    net_adapt(&report);
    word = net_undo();
    word = net_save_state(&flash);
#endif
    net_quantize(window, frame, 1);
    return (int)net_predict(0, window);
}
END
. "$board/boards.sh"
for core in m0plus m4; do
    choose_core $core
    flags="$cpu -mthumb -std=c11 -ffreestanding -ffp-contract=off -ffunction-sections -fdata-sections -O2 $places"
    mkdir $core && (cd $core && arm-none-eabi-gcc $flags -I "$lib" -I "$board" -c "$lib"/device/*.c \
        "$lib/kernels/scalar.c" "$lib"/kernels/cortexm_*.c "$board/board.c" &&
        arm-none-eabi-gcc $flags -fno-tree-loop-distribute-patterns -I "$lib" -c "$board/mem.c") || exit 1
    for kind in predict closed flips; do
        model=$kind.qcm coreset='-c core.qcd' slots=6 learn=-DLEARN
        [ $kind = predict ] && model=closed.qcm coreset='' slots=0 learn=''
        qc-export -f c $coreset -o net.c $model 2>said || exit 1
        constants=$(sed 's/.*flash \([0-9]*\) bytes.*/\1/' said)
        arm-none-eabi-gcc $flags $learn -I . -I "$lib" -I "$board" -nostdlib -nostartfiles -Wl,--gc-sections \
            -T "$board/cortex-m.ld" -o firmware.elf main.c net.c $core/*.o -lgcc 2>words || { cat words && exit 1; }
        is=$(($(arm-none-eabi-size firmware.elf | awk 'NR == 2 { print $1 }') - constants))
        says=$(qc-info --json --target $core -n $slots $model | sed 's/.*"code": \([0-9]*\).*/\1/')
        [ "$says" -ge "$is" ] && [ "$says" -lt $((is + 2048)) ] && echo "$core $kind" ||
            echo "$core $kind: $is bytes of code, but qc-info says $says"
    done
done
