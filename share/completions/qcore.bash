# Completes for every qc- program: its options, as --help all lists them; the words that an option takes; else file
# names.
_qcore()
{
    local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= line=
    local k help=(--help all) row
    COMPREPLY=()
    for ((k = 1; k + 1 < ${#COMP_WORDS[@]}; k++)); do # options of a format are in its own help
        [[ $program == qc-import && ( ${COMP_WORDS[k]} == -f || ${COMP_WORDS[k]} == --format ) &&
            ${COMP_WORDS[k + 1]} ]] && help=(-f "${COMP_WORDS[k + 1]}" --help all)
    done
    if [[ $word == -* && $word != - ]]; then
        words=$("$program" "${help[@]}" 2>/dev/null | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
        return
    fi
    # "  -b, --bits N   help ...": which option comes before, and what it takes
    row=$'\n +(-., )?'"$before"$'[ ,][^\n]*'
    [[ $before == -* && $before != - && $'\n'$("$program" "${help[@]}" 2>/dev/null) =~ $row ]] &&
        line=${BASH_REMATCH[0]}
    case $line in
    *--format\ *'C source'*) words='c onnx tflite npz safetensors csv' ;; # qc-export
    *--raw\ *) words='f32 i16' ;;
    *--codes\ *) words='safe int8 int4' ;;
    *--bits\ *) words='2 4 8' ;;
    *--activation-bits\ *) words='4 8' ;;
    *--arch\ *) words='inceptiontime inceptiontime-32x3 inceptiontime-16x3 inceptiontime-short omniscale fcn fcn-128
        resnet18 resnet18-small resnet8 vgg16 ds-cnn mobilenet mlp' ;;
    *--format\ *latex*) words='tsv md latex json' ;;
    *--format\ *) words="$("$program" -h 2>/dev/null | sed -n 's/^  \([a-z0-9]*\)  .*/\1/p') safetensors" ;;
    *--header\ *) words='yes no' ;;
    *--unequal\ *) words='refuse pad resample' ;;
    *--missing\ *) words='refuse fill drop' ;;
    *--label-rule\ *) words='change majority last pure' ;;
    *--trust\ *) words='name field' ;;
    *--resize\ *) words='area bilinear' ;;
    *--ablate\ *) words='size evidence code row column layer depth kind' ;;
    *--by\ *) words='block recording group random' ;;
    *--order\ *) words='shuffled recorded classes' ;;
    *--optimizer\ *) words='adam sgd' ;;
    *--sample\ *) words='pmf proportional random balanced hardest' ;;
    *--drift\ KIND*) words='auto inertial series image bands' ;;
    *--method\ *closed\ or*) words='qcore closed none' ;; # qc-calibrate
    *--method\ *) words='qcore closed none flip-random flip-greedy bn head bn+head proto spsa refit er er-ace der der++
        a-gem camel deepc' ;;
    *--update\ *) words='misses balanced random reservoir' ;;
    *--by-layer\ *) words='0 1' ;;
    *\ [NRX]\ \ * | *FRACTION* | *LIST* | *NAME* | *COLUMN* | *SPAN* | *LOSS*) return ;; # nobody can guess these
    esac
    [[ $words ]] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    # flags and files, and operands
    [[ ! $words || $line == *--arch\ * ]] && mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _qcore qc-info qc-import qc-split qc-synth qc-train qc-coreset qc-quantize qc-bitflip-train \
    qc-calibrate qc-run qc-rival qc-eval qc-export qc-sweep qc-report
