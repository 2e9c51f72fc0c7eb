# Lists of combinations say what a plain search says; long lists and long tables of runs are read whole.
cat >check.py <<'END' || exit
import itertools, json, random, subprocess
random.seed(1)
VALUES = ["default", "v0", "v1", "v2"]

def named(value, at):
    value = str(at[value[1:-1]]) if value[:1] == "{" else value
    return "" if value == "default" else value

def holds(rule, at):
    return all(named(at[axis], at) in [named(v, at) for v in (said if isinstance(said, list) else [said])]
               for axis, said in rule.items())

def some_rule(axes):
    names = random.sample(sorted(axes), random.randint(1, len(axes)))
    def one(axis): return random.choice(axes[axis] + ["{%s}" % random.choice(sorted(axes))])
    return {a: one(a) if random.random() < .6 else [one(a) for _ in range(random.randint(1, 4))] for a in names}

for trial in range(60):
    axes = {"a%d" % k: VALUES[random.randint(0, 1):random.randint(2, 4)] for k in range(random.randint(1, 3))}
    lists = {key: [some_rule(axes) for _ in range(random.randint(1, 5))] for key in ("without", "only")
             if random.random() < .7}
    steps = {"run": "run " + " ".join("%s={%s}" % (a, a) for a in axes) + " {out}"}
    with open("e.yaml", "w") as f: json.dump({"name": "x", "axes": axes, **lists, "steps": steps}, f)
    said = subprocess.run(["qc-sweep", "-q", "e.yaml"], capture_output=True, text=True, check=True).stdout.splitlines()
    expected = []
    for values in itertools.product(*axes.values()):
        at = dict(zip(axes, values))
        if any(holds(rule, at) for rule in lists.get("without", [])): continue
        if "only" in lists and not any(holds(rule, at) for rule in lists["only"]): continue
        expected.append("run " + " ".join("%s=%s" % (a, named(at[a], at)) for a in axes))
    got = [line[2:line.index(" runs/")] for line in said]
    if got != expected: print(json.dumps([axes, lists]), got, expected)

def long(n, key):
    with open(key + ".yaml", "w") as f:
        f.write("name: x\naxes: {s: [%s]}\n%s:\n" % (",".join("v%d" % k for k in range(n)), key))
        for k in range(0, n, 2): f.write("  - {s: v%d}\n" % k)
        f.write("steps: {run: 'run {s} > {out}'}\n")
long(24000, "without")
long(24000, "only")
with open("r.tsv", "w") as f:
    f.write("run\tm\ttarget_last\ttargets\n")
    for k in range(80000): f.write("r%d\tm%d\t.5\t.25,.5\n" % (k, k))
END
/usr/bin/python3 check.py
qc-sweep -q without.yaml | wc -l
qc-sweep -q only.yaml | wc -l
qc-report -g m r.tsv | wc -l
qc-report -f runs r.tsv | wc -l
