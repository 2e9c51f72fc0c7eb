# share/experiments/slurm.sh on a cluster of one node, this machine, that the test starts. Steps wait for their inputs,
# failed steps run again, finished steps do not.
for tool in munged slurmctld slurmd sbatch; do
    PATH=$PATH:/usr/sbin command -v $tool >/dev/null ||
        { echo "there is no $tool: share/setup/install.sh --test" >&2; exit 77; }
done
PATH=$PATH:/usr/sbin
place=$(pwd) host=$(hostname -s) user=$(id -un) daemons=
stop() {
    timeout 10 scancel --user="$user" >/dev/null 2>&1
    for pid in $daemons; do kill "$pid" 2>/dev/null; done
    wait
}
trap stop EXIT
trap 'exit 1' INT TERM
start() { # start DAEMON ARGUMENTS: in the foreground of its own process, for at most five minutes
    name=$1
    shift
    timeout -k 5 300 "$name" "$@" >"$name.words" 2>&1 &
    daemons="$! $daemons"
}
until_so() { # until_so COMMAND: tries for a minute; if COMMAND never succeeds, prints the daemons' messages
    tries=0
    until timeout 10 sh -c "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { echo "never so: $1" >&2; tail -n 20 -- *.words slurm*.log >&2; exit 1; }
        sleep 0.2
    done
}
ports=$(/usr/bin/python3 -c 'import socket
s = [socket.socket() for _ in "12"]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
umask 022
mkdir state spool private && chmod 700 private && head -c 128 /dev/urandom >private/key && chmod 600 private/key &&
    : >plugstack.conf || exit
cat >slurm.conf <<CONF
ClusterName=qcore
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports% *}
SlurmdPort=${ports#* }
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$place/munge.socket
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
PlugStackConfig=$place/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
InactiveLimit=0
MinJobAge=2
KillWait=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$place/slurm.conf"
start munged --foreground --force --socket="$place/munge.socket" --key-file="$place/private/key" \
    --pid-file="$place/munged.pid" --seed-file="$place/private/seed" --log-file="$place/munged.log"
until_so "munge -n -S '$place/munge.socket'"
start slurmctld -D
start slurmd -D
until_so 'sinfo -h -o %T | grep -qx idle'

cat >e.yaml <<'EXPERIMENT'
name: cluster
axes: {seed: [1, 2, 3], kind: [good, bad]}
steps:
  first: echo {seed} > {out}
  second: >-
    test -s {first} && { test {kind} = good || test -e mended; } && cat {first} > {out} &&
    echo "$SLURM_JOB_NAME" >> {out}
EXPERIMENT
all_ended() { until_so '[ -z "$(squeue -h)" ]'; }
script=$TOP/share/experiments/slurm.sh
DRY=1 timeout 60 sh "$script" e.yaml 2>dry || { cat dry >&2; exit 1; }
grep -c 'Job .* to start at' dry # sbatch would take both steps' scripts
ls -d qc-sweep.* 2>/dev/null
qc-sweep --status e.yaml
ARRAY=2 timeout 60 sh "$script" e.yaml >submitted || exit
sed 's/array [0-9]*/array N/' submitted
all_ended
qc-sweep --status e.yaml
: >mended
timeout 60 sh "$script" e.yaml | sed 's/array [0-9]*/array N/'
all_ended
qc-sweep --status e.yaml
cat runs/second-*[0-9a-f] | sort | uniq -c
timeout 60 sh "$script" e.yaml && echo 'nothing is left'
