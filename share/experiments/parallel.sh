#!/bin/sh
# parallel.sh EXPERIMENT [qc-sweep's options]: runs all of an experiment with GNU parallel, JOBS [all cores] at a time.
# A stopped run resumes. Each round runs all commands whose inputs exist, until no command is left. A command that fails
# stops the next round.
set -eu
commands=$(mktemp)
trap 'rm -f "$commands"' EXIT
qc-sweep -q --ready "$@" >"$commands"
while [ -s "$commands" ]; do
    parallel --will-cite -j "${JOBS:-100%}" <"$commands"
    qc-sweep -q --ready "$@" >"$commands"
done
