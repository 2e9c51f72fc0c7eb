#!/bin/sh
# Runs all commands of an experiment with GNU parallel, JOBS [all cores] at a time.
#   parallel.sh EXPERIMENT [qc-sweep's options]
# A stopped run resumes. Each round runs all commands whose inputs exist, until no command is left. After a command
# fails, no further round starts.
set -eu
commands=$(mktemp)
trap 'rm -f "$commands"' EXIT
qc-sweep -q --ready "$@" >"$commands"
while [ -s "$commands" ]; do
    parallel --will-cite -j "${JOBS:-100%}" <"$commands"
    qc-sweep -q --ready "$@" >"$commands"
done
