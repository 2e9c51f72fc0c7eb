# export.sh - a model exported as C gives the logits of qc-eval. After a session it has the codes and the coreset of
# qc-calibrate, bit for bit. The models have 2, 4 and 8 bits, a last layer that reads standard deviations, and every
# --tune option at another value than its default. Run from the top of the tree; BUILD has pack_stream, PATH the
# programs.
set -eu
. tests/device/cross
. tests/device/firmware/make.sh
cd "$work"
make_people
for bits in 2 4 8 4std 2all; do
    device=
    [ $bits != 2all ] || \
        device='--tune stop_loss=0 --tune first_share=.03 --tune largest_share=.5 --tune block_sample=600
        --tune few_class_threshold=.2 --tune skip_flips=0 --tune temperature_loss=.2
        --tune stacking_bias=.3 --tune ridge=.1 --tune prior_count=1 --tune average_window=3 --tune update=0'
    make_session ${bits%%[a-z]*} s$bits shuffled $(case $bits in *std) echo --std --last-bits 8;; esac) || exit 1
    compile_host s$bits || exit 1
    s$bits/host logits >words || { cat words; exit 1; }
    cmp logits s$bits/logits || { echo "$bits bits: not the logits of qc-eval"; exit 1; }
done
