# What cannot be exported is refused in one sentence, with its exit status, and leaves no file.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 8 --channels 3 --length 24 -o people.qcd &&
    qc-split -q -g p1 -o data.qcd people.qcd || exit 1
qc-synth -q --subjects 1 --activities 3 --windows 8 --channels 3 --length 20 -o short.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 2 -a tiny.yaml -d data.qcd -o fp.qcm && qc-coreset -q -n 6 -d data.qcd -o core.qcd &&
    qc-coreset -q -n 6 -d short.qcd -o other.qcd || exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words || exit 1
qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -o f.qcm q.qcm \
    >words || exit 1
head -c 900 f.qcm >cut.qcm
try() { # try ARGUMENTS: prints the sentence and the exit status
    qc-export "$@" >out 2>err
    echo "$? $(head -1 err)"
}
try f.qcm
try -f elf -o x.c f.qcm
try -f c f.qcm
try -f c -o - f.qcm
try -f c -o x.h f.qcm
try -f c -o 2net.c f.qcm
try -f c -o my-net.c f.qcm
try -f c -o .c f.qcm
try -f c --codes abc -o x.c f.qcm
try -f onnx --codes safe -o x.onnx fp.qcm
try -f csv --codes safe -o x.csv data.qcd
try -f csv -c core.qcd -o x.csv data.qcd
try -f onnx -B 3 -o x.onnx f.qcm
try -f onnx --tune update=0 -o x.onnx f.qcm
try -f c -o QC_calibrate.c f.qcm
try -f c -o stdint.c f.qcm
try -f c -o nowhere/x.c f.qcm
try -f c -o x.c fp.qcm
try -f c -o x.c cut.qcm
try -f c -o x.c core.qcd
try -f c -o x.c none.qcm
try -f c -c data.qcd -o x.c f.qcm
try -f c -c other.qcd -o x.c f.qcm
try -f c -c core.qcd -B 0 -o x.c f.qcm
ls ./*.c ./*.h 2>/dev/null
# Names of classes are any text, and the C still compiles: quotes, backslashes, trigraphs, other
# alphabets.
printf '0,1,2,sit "x"\n1,2,3,a\\b??/\n2,1,0,\303\251t\303\251*/\n0,2,2,%%s%%n\n' >odd.csv
for i in 1 2 3; do cat odd.csv; done >many.csv
qc-import -q -f csv --header no -o odd.qcd many.csv && printf 'name: "odd*/ name"\nlayers:\n  - gap\n' >odd.yaml ||
    exit 1
qc-train -q --threads 1 --epochs 1 -a odd.yaml -d odd.qcd -o ofp.qcm &&
    qc-quantize --force -q -b 8 --epochs 0 --threads 1 -d odd.qcd -o oq.qcm ofp.qcm >words || exit 1
qc-export -q -f c -o odd.c <oq.qcm || exit 1
cat >main.c <<'END'
#include <stdio.h>
#include "odd.h"
int main(void) {
    for (unsigned k = 0; k < ODD_CLASSES; k++) puts(odd_class_names[k]);
    return odd_init();
}
END
"${CC:-cc}" -std=c11 -Wall -Wextra -pedantic -Werror -ffp-contract=off -I "$TOP/lib" -o odd main.c odd.c \
    "$TOP"/lib/device/*.c "$TOP/lib/kernels/scalar.c" && ./odd | sort
# the file may have a name with which names of functions are almost names of its own constants
qc-export -q -f c -c core.qcd -o first.c f.qcm &&
    "${CC:-cc}" -std=c11 -Wall -Wextra -pedantic -Werror -ffp-contract=off -I "$TOP/lib" -c first.c && ls first.o
