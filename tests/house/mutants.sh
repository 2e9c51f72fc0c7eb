# One-line mutants of lib/device: a unit test must fail for each; a mutant that passes is a gap in the tests. QC_SLOW=1
# runs it. The mutated file replaces its object in the library. Each test first passes with the original file.
[ "${QC_SLOW:-}" ] || { echo "skipped: QC_SLOW=1 tests/run house/mutants runs it"; exit 0; }
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
wrong=0
report() { echo "$*"; wrong=1; }
compile=$(cat "$BUILD/flags") \
    libs="-Wl,--as-needed $(pkg-config --libs check) -ldnnl -lgomp -lyaml -lprotobuf-c -lmatio -ljpeg -lpng -lz -lm"
mkdir -p "$place/lib/device"
for room in base kernels; do ln -s "$TOP/lib/$room" "$place/lib/$room"; done
ln -s "$TOP"/lib/device/*.h "$place/lib/device"

passes() { # passes TEST OBJECT: the test, with this object instead of the library's
    $compile -o "$place/test" "$BUILD/tests/unit/$1.o" "$2" "$BUILD/libqcore.a" $libs ||
        { report "$1 does not link"; return 0; }
    CK_DEFAULT_TIMEOUT=20 "$place/test" >"$place/out" 2>&1
}
mutant() { # mutant WHAT FILE SED TEST...: one of the tests must fail
    what=$1 file=$2 edit=$3
    shift 3
    sed "$edit" "lib/device/$file.c" >"$place/lib/device/$file.c"
    [ "$(diff "lib/device/$file.c" "$place/lib/device/$file.c" | grep -c '^>')" -eq 1 ] ||
        { report "$what: the edit changes no line, or several, of $file.c"; return; }
    $compile -w -c -o "$place/$file.o" "$place/lib/device/$file.c" || { report "$what: does not compile"; return; }
    for test in "$@"; do
        [ -f "$place/$test.passed" ] || passes "$test" "$BUILD/lib/device/$file.o" ||
            { report "$test fails without a mutant"; return; }
        touch "$place/$test.passed"
        passes "$test" "$place/$file.o" || return
    done
    report "$what ($file.c: $edit): not caught by $*"
}

mutant 'no adapt' adapt 's/^    if (report->solved) {/    if (0) {/' test_adapt
mutant 'wrong sign of a mean' moments 's/mean\[i\] += /mean[i] -= /' test_moments
mutant 'no source prior' discriminant 's/prior = has_source ? .*;/prior = 0;/' test_discriminant
mutant 'a class that the coreset lacks' head 's/ && !(t->source && qc_task_is_trained(t, k))//' test_shifts
mutant 'a hole in a reservoir' slots 's/slots->flags\[s\] & QC_SLOT_EMPTY)) return s;/0)) return s;/' test_slots
mutant 'a gain by chance' fliprounds 's/ && is_evident(f, t);/;/' test_fliprounds
mutant 'counts forgotten without the scatter' moments 's/m->scatter\[i\] \*= share/(void)share/' test_moments
mutant 'gate of other channels' hebb \
    's/\(of\[k\]) \)+ s->node->out_channel/\1+ (k ? 0 : s->node->out_channel)/' test_hebb
mutant 'moments of features before flips' adapt 's/if (report->flips) forget_moments(l);//' test_adapt
mutant 'ring off by one' learner 's/l->ring.capacity - age)/l->ring.capacity - age + 1)/' test_learner
mutant 'guard off' adapt 's/return !qc_learner_loses_too_much(l);/return 1;/' test_guard
mutant 'bands of other rows' qgraph 's/h = row \* node->stride_h - node->pad_top/h = row - node->pad_top/' test_qgraph
mutant 'labels that look random' adapt 's/is_refused = qc_learner_labels_are_random(l)/is_refused = 0/' test_guard
mutant 'neighbours of neighbours' guard 's/if (j == i) continue;//' test_guard
mutant 'no zero point' head 's/ - shape->zero \* of_codes//' test_head
mutant 'reserved slots taken' slots \
    's/ return !(slots->flags\[s\] & QC_SLOT_RESERVED);/ return (int)(slots != NULL || s);/' test_slots
mutant 'guesses that no label confirmed' learnerset 's/t->guesses = l->counters->trust > 0/t->guesses = 1/' test_ask
mutant 'scatter without shifts' discriminant 's/if (shifts) add_shifts/if (0) add_shifts/' test_shifts
mutant 'windows that weigh more than labels' guess \
    's/return qc_least(t->parameters->guess_weight, most)/(void)most; return .3f/' test_shifts
mutant 'means of few examples' learnerset 's/|| (t.few_labels && !l->setup.flips)/|| 0/' test_shifts
mutant 'means over all labels' learnerset 's/|| labelled >= windows/|| labelled <= windows/' test_ask
mutant 'late labels as missing labels' learnerset 's/return l->counters->next - (age - 1)/return l->counters->next/' \
    test_ask
mutant 'spare rows that are predicted' head 's/qc_make_spare_row(layer, t->shape, row, largest);//' test_spare
mutant 'window not mirrored' frontend \
    's/f->window\[n > frame \/ 2 ? frame - n : n\]/f->window[n > frame \/ 2 ? 0 : n]/' test_frontend
mutant 'halves of a spectrum swapped' frontend \
    's/put(z, k, even.re + odd.re,/put(z, k, even.re - odd.re,/' test_frontend
mutant 'no floor' frontend 's/= !sum || level < floor ? floor : level/= !sum ? floor : level/' test_frontend
mutant 'samples before a gap' frontend \
    's/    run->missing = run->front->setup.frame;/    run->missing = 1;/' test_frontend
exit $wrong
