#!/bin/sh
# slurm.sh EXPERIMENT [qc-sweep's options]: runs all of an experiment on a Slurm cluster: an array of jobs for each step, each waiting for the one before.
#   SBATCH ["--time=1:00:00 --cpus-per-task=1 --mem=2G"]  options of sbatch   WIDTH [200]  jobs at a time   DRY [""]  1: only test the scripts (sbatch --test-only)
# Run it again when it has ended: finished commands are skipped, failed ones come again.
set -eu
SBATCH=${SBATCH:---time=1:00:00 --cpus-per-task=1 --mem=2G} WIDTH=${WIDTH:-200} DRY=${DRY:-}
lists=$(mktemp -d "${TMPDIR:-$PWD}/qc-sweep.XXXXXX") # the jobs read it long after this script has ended
after=
for step in $(qc-sweep --status "$@" | awk -F'\t' 'NR > 1 { print $1 }'); do
    qc-sweep -q --step "$step" "$@" >"$lists/$step"
    n=$(wc -l <"$lists/$step")
    [ "$n" -gt 0 ] || continue
    cat >"$lists/$step.sh" <<END
#!/bin/sh
sed -n "\${SLURM_ARRAY_TASK_ID}p" '$lists/$step' | sh
END
    # shellcheck disable=SC2086 # options are words
    if [ -n "$DRY" ]; then
        sbatch --test-only $SBATCH --array="1-$n%$WIDTH" "$lists/$step.sh"
    else
        id=$(sbatch --parsable $SBATCH $after --array="1-$n%$WIDTH" --job-name="qc-$step" --output="$lists/$step.%a.log" "$lists/$step.sh")
        after=--dependency=afterany:$id
        echo "$step: $n jobs, array $id"
    fi
done
