# An experiment with `from`: its own settings override the settings of the other experiment. A step that both share is
# one job; errors name the right file.
mkdir of || exit
cat >base.yaml <<'END' || exit
name: base
paths: {data: parts}
let: {kind: a, size: 30}
axes:
  seed: [1]
  method: [one, two]
without:
  - {method: one}
steps:
  made: make {kind} {seed} > {out}
  cut: cut {made} > {out}
  run: run {method} {size} {cut} {data} > {out}
report: cut
END
cat >of/mine.yaml <<'END' || exit
from: ../base.yaml
name: mine
paths: {data: "other place"}
let: {kind: b}
axes: {size: [10, 20], method: [one, two]}
without: []
steps:
  made: make {kind} > {out}
  told: tell {made} > {out}
  run: run {method} {size} {told} {cut} {data} > {out}
  last: last {run} > {out}
report: last
END
show() { qc-sweep -q --all -o R "$@" | sed -E 's/ && : > .*//; s/-[0-9a-f]{16}/-X/g'; }
show of/mine.yaml
echo '--- from that one again, by a whole path'
printf 'from: "%s/of/mine.yaml"\naxes: {size: [10], method: [two]}\n' "$PWD" >again.yaml
show --set kind=c again.yaml
echo '--- the same jobs as of the file that it is made from'
printf 'from: base.yaml\nname: same\n' >same.yaml
qc-sweep -q --all -o R base.yaml >a && qc-sweep -q --all -o R - <same.yaml >b && cmp a b || exit
echo '--- braces that are the shell'"'"'s'
printf 'name: braces\naxes: {n: [1]}\nsteps:\n  run: "touch {out}.{a,b} {n}{1..3} ${HOME} > {out}"\nreport: run\n' \
    >braces.yaml
show braces.yaml
echo '--- what the other leaves out need not be here'
printf 'name: out\naxes: {n: [1, 2]}\nwithout: [{n: 2}]\nsteps: {run: "run {n} > {out}"}\n' >out.yaml
printf 'from: out.yaml\naxes: {n: [3]}\n' >three.yaml
show three.yaml
echo '--- without one of its steps'
printf 'from: base.yaml\nsteps: {run: ""}\n' >less.yaml
show less.yaml
echo '--- what is wrong'
wrong() { printf "$1" >wrong.yaml && qc-sweep wrong.yaml 2>&1 | sed "s|$PWD|PWD|g"; }
wrong 'from: wrong.yaml\nname: x\n'
wrong 'from: nowhere.yaml\n'
wrong 'from: /dev/zero\n'
wrong 'from: [base.yaml]\n'
wrong 'from: ""\n'
wrong 'from: base.yaml\nsteps: {made: "{nothing}"}\n'
wrong 'from: base.yaml\nsteps: {cut: "{told} {run}"}\n'
wrong 'from: base.yaml\naxes: {seed: [1]}\n'
wrong 'from: base.yaml\nsteps: {cut: ""}\nreport: run\n'
wrong 'from: out.yaml\nsteps: {run: ""}\n'
wrong 'from: base.yaml\nlet: [a]\n'
wrong 'from: base.yaml\nfroms: a\n'
printf 'let: {kind: a}\nnane: x\n' >half.yaml
wrong 'from: half.yaml\nname: x\naxes: {a: [1]}\nsteps: {run: "{a}"}\n'
printf -- '- a\n' >half.yaml
wrong 'from: half.yaml\nname: x\naxes: {a: [1]}\nsteps: {run: "{a}"}\n'
# An installed experiment, by its name; a file of that name has precedence.
qc-sweep --status people | tail -n 1
printf 'from: people.yaml\nname: mine\naxes: {seed: [1], source: [p1], target: [p2], bits: [2], method: [closed]}\n' \
    >mine.yaml
qc-sweep --status mine.yaml | tail -n 1
cp base.yaml people.yaml && qc-sweep --status people.yaml | tail -n 1
qc-sweep --status nowhere/people.yaml || echo $?
