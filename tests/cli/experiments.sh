# The experiments of share/experiments, small: every command of a part of each experiment works, and a step that two
# experiments share runs once.
place=$TOP/share/experiments
qc-synth -q --subjects 3 --activities 4 --windows 15 --channels 3 --length 24 -o all.qcd && mkdir parts || exit
for p in 1 2 3; do
    qc-split -q -g p$p -t 0.34 -o parts/p$p.train.qcd -O parts/p$p.test.qcd all.qcd || exit
    for part in train test; do ln parts/p$p.$part.qcd parts/s$p.$part.qcd; done
done
corner() { # corner EXPERIMENT [OPTIONS]: its finished commands before the run, and the runs of its report after it
    name=$1
    shift
    echo "--- $name"
    set -- --set 'arch=fcn --epochs 2' --set data=parts --set batches=2 --set seed=1 --set bits=4 "$@" \
        "$place/$name.yaml"
    qc-sweep --status "$@"
    qc-sweep -q "$@" >commands && sh commands || exit
    qc-report "$@" >table || exit # reports missing runs on standard error
    echo "$(($(wc -l <table) - 1)) rows"
}
corner people --set source=p1 --set target=p2 --set method=qcore,none,er
corner sequence --set method=none,qcore
# without adaptation nothing changes: the sequence's last test equals the second test of a pair
none() { qc-report --set 'arch=fcn --epochs 2' --set batches=2 --set seed=1 --set bits=4 --set source=p1 --set \
    method=none --figures source_last,acc "$@" | tail -n 1 | cut -f "$cell"; }
cell=6 && pair=$(none --set target=p2 "$place/people.yaml")
cell=7 && [ "$pair" = "$(none "$place/sequence.yaml")" ] && echo "$pair before and after" || exit
corner classes --set target=p2 --set capacity=30 --set order=classes,shuffled --set method=none,qcore
corner ablation-coreset --set target=p2 --set size=10,30
corner ablation-budget --set target=p2
corner ablation-network --set target=p2 --set ablated=nothing,kind
corner grid --set seed=101 --set method=none,head,er
"$place/grid-best.sh" --set 'arch=fcn --epochs 2' --set batches=2 --set bits=4 --set method=none,head,er >tuned.yaml \
    && qc-sweep -q tuned.yaml >/dev/null || { grep -q 'nothing to run' tuned.yaml || exit; }
corner uschad --set target=s2,s3 --set method=none,head
# a shell can parse every command of every experiment
for experiment in "$place"/*.yaml; do
    qc-sweep -q --all -o nowhere "$experiment" >commands && sh -n commands || echo "$experiment is not"
done
