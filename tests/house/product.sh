# The product without the laboratory: its programs link, none contains code of lib/lab, and only programs that run float
# models load oneDNN.
env -u BIN make -s --no-print-directory -o "$BUILD/flags" product >/dev/null || exit 1
bin=$BUILD/product/bin wrong=0
report() { echo "$*"; wrong=1; }
for source in src/qc-*.c; do
    name=$(basename "$source" .c)
    case $name in qc-rival | qc-sweep | qc-report) [ ! -e "$bin/$name" ] ||
        report "$name is of the laboratory"; continue ;; esac
    [ -x "$bin/$name" ] || { report "there is no $name"; continue; }
    # these run float models
    case $name in qc-train | qc-import | qc-quantize | qc-bitflip-train | qc-coreset | qc-eval) continue ;; esac
    readelf -d "$bin/$name" | grep -E 'NEEDED.*(dnnl|gomp)' && report "$name loads oneDNN"
done
nm "$bin"/qc-* | grep -E 'qc_(rival|experiment|report|runtable|replay)_' && report 'lib/lab is in it'
grep -n 'include "../lab/' lib/cli/*.[ch] &&
    report 'lib/cli includes lib/lab, so that the product could not do without it'
exit $wrong
