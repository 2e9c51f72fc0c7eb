#!/bin/sh
# Runs all commands of an experiment on a Slurm cluster. Each step of the experiment is a set of job arrays, which wait
# for all jobs of the step before.
#   slurm.sh EXPERIMENT [qc-sweep's options]
# From the environment:
#   SBATCH ["--time=1:00:00 --cpus-per-task=1 --mem=2G"]  options of sbatch
#   WIDTH  [200]   jobs of an array that run at a time
#   ARRAY  [1000]  jobs of an array at most (the default MaxArraySize of Slurm is 1001)
#   DRY    [""]    1: only test the scripts (sbatch --test-only)
# Run the script again after it has ended: finished commands are skipped, failed commands run again. Jobs read their
# commands from the new folder qc-sweep.XXXXXX in the current folder, and write their messages there. All nodes must see
# this folder.
set -eu
SBATCH=${SBATCH:---time=1:00:00 --cpus-per-task=1 --mem=2G} WIDTH=${WIDTH:-200} ARRAY=${ARRAY:-1000} DRY=${DRY:-}
status=$(qc-sweep --status "$@")
steps=$(echo "$status" | awk -F '\t' 'NR > 1 { print $1 }')

submit() { # submit STEP LIST: submits arrays with a job per line of LIST; prints the jobs that the next step waits for
    n=$(wc -l <"$2")
    cat >"$2.sh" <<JOB
#!/bin/sh
sed -n "\${SLURM_ARRAY_TASK_ID}p" '$2' | sh
JOB
    # shellcheck disable=SC2086 # options are words
    if [ -n "$DRY" ]; then
        sbatch --test-only $SBATCH --array="1-$n%$WIDTH" "$2.sh"
    else
        sbatch --parsable $SBATCH $after --array="1-$n%$WIDTH" --job-name="qc-$1" --output="$2.%a.log" "$2.sh"
    fi
}

lists=$(mktemp -d "$PWD/qc-sweep.XXXXXX")

after=
for step in $steps; do
    qc-sweep -q --step "$step" "$@" | split -l "$ARRAY" - "$lists/$step."
    ids=
    for list in "$lists/$step".??; do
        [ -f "$list" ] || continue
        id=$(submit "$step" "$list")
        ids=$ids:$id
        [ -n "$DRY" ] || echo "$step: $(wc -l <"$list") jobs, array $id"
    done
    [ -z "$ids" ] || after=--dependency=afterany$ids
done
[ -z "$DRY" ] || rm -r "$lists"
