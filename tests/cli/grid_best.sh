# share/experiments/grid-best.sh prints an experiment: for each method and bit width the settings of the highest mean,
# and the defaults if no settings are better.
mkdir fake
cat >fake/qc-report <<'END_OF_TABLE'
#!/bin/sh
echo "$*" >asked
printf 'method\tbits\tone\ttwo\truns\ttarget_mean\ttarget_mean_ci95\tsource_last\tsource_last_ci95\n'
row() { printf '%s\t%s\t%s\t%s\t1\t%s\t-\t%s\t-\n' "$@"; }
row none 2 default default .5 .9
row er 2 default default .80 .9
row er 2 default --set=steps=60 .79 .9
row er 2 --set=rate=.02 default .80 .95
row er 4 default default .9 .9
row er 4 default --set=steps=60 .95 .9
row er 4 --set=rate=.1 --set=steps=60 .96 .8
row head 2 --set=lambda=.01 default 1 .7
row head 2 default default - -
END_OF_TABLE
chmod +x fake/qc-report
PATH=$PWD/fake:$PATH sh "$TOP/share/experiments/grid-best.sh" -d runs-grid --set seed=9 >tuned.yaml || exit
cat asked | sed "s|$TOP|TOP|"
grep '^#' tuned.yaml
qc-sweep --status tuned.yaml
qc-sweep -q --step run --set seed=1 --set source=p1 --set target=p2 tuned.yaml | sed 's/.*-q \(-m.*\) -c .*/\1/'
# all but the last step are as in people.yaml, whatever is set
qc-sweep -q --step flipnet --set bits=4 tuned.yaml >a &&
    qc-sweep -q --step flipnet --set bits=4 "$TOP/share/experiments/people.yaml" >b && cmp a b || exit
sed -i '/row er/d; /row head/d' fake/qc-report
PATH=$PWD/fake:$PATH sh "$TOP/share/experiments/grid-best.sh"
