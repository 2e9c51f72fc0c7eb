# Completes the options of every qc- program from what its -h says, and file names elsewhere.
_qcore()
{
    local word=${COMP_WORDS[COMP_CWORD]}
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$1" -h 2>/dev/null | grep -o -- '--[a-z][a-z-]*')" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _qcore qc-info qc-import qc-split qc-synth qc-train qc-coreset qc-quantize qc-bitflip-train qc-calibrate qc-eval qc-export
