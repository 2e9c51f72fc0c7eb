# Shell completions: every option of every program is completed, and only with values that the option takes.
command -v bash >/dev/null || exit 0
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
mkdir "$place/here" && touch "$place/here/file.qcd"
cat >"$place/try.bash" <<'END'
source "$TOP/share/completions/qcore.bash"
cd "$1/here" || exit 1
wrong=0
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _qcore "$1"; }
expect() { # expect WORDS LINE...
    local wanted=$1
    shift
    complete_line "$@"
    [[ ${COMPREPLY[*]} == "$wanted" ]] || { echo "$*: '${COMPREPLY[*]}', not '$wanted'"; wrong=1; }
}
for source in "$TOP"/src/qc-*.c; do
    program=$(basename "$source" .c)
    all=$("$program" --help all)
    eval "$program() { [[ \$* == '--help all' ]] && echo \"\$all\" || command $program \"\$@\"; }" # asked once
    complete_line "$program" --
    offered=" ${COMPREPLY[*]} "
    for option in $(echo "$all" | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        [[ $offered == *" $option "* ]] || { echo "$program $option is not completed"; wrong=1; }
        complete_line "$program" "$option" ''
        [[ ${COMPREPLY[*]} && ${COMPREPLY[*]} != file.qcd ]] || continue
        # the formats of qc-import are in its short help
        [[ $option == --format && $program == qc-import ]] && help=$("$program" -h) ||
            help=$(echo "$all" | grep -E -- "$option([ ]|\$)")
        for word in "${COMPREPLY[@]}"; do
            [[ $word == file.qcd || $option == --arch || $help == *"$word"* ]] ||
                { echo "$program $option $word: not in its help"; wrong=1; }
        done
    done
    unset -f "$program"
done
expect 'shuffled' qc-calibrate --order s
expect '2 4 8' qc-quantize -b ''
expect '4 8' qc-quantize -a ''
expect 'file.qcd' qc-calibrate -c ''
expect 'file.qcd' qc-eval --json fi
expect '' qc-split -t ''
expect '' qc-synth --drift ''
expect 'inceptiontime inceptiontime-32x3 inceptiontime-16x3 inceptiontime-short' qc-train -a inc
for arch in "$TOP"/share/arch/*.yaml; do # every one is offered, and is in the manual
    arch=$(basename "$arch" .yaml)
    complete_line qc-train -a "$arch"
    [[ " ${COMPREPLY[*]} " == *" $arch "* ]] || { echo "qc-train -a $arch is not completed"; wrong=1; }
    grep -qE "^\.It Cm ([a-z0-9-]+ , )*$arch( ,|\$)" "$TOP/man/qc-train.1" ||
        { echo "$arch is not in man/qc-train.1"; wrong=1; }
done
exit $wrong
END
bash "$place/try.bash" "$place"
