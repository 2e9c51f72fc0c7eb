# Paths and result folders with any name: a command stays one line. sh, xargs and GNU parallel pass the step exactly
# that path and run nothing else.
command -v parallel >/dev/null || { echo "there is no GNU parallel: share/setup/install.sh --test" >&2; exit 77; }
cat >e.yaml <<'EXPERIMENT'
name: quoting
paths: {data: none}
axes: {seed: [1]}
steps:
  copy: printf %s {data} > {out}
EXPERIMENT
exec /usr/bin/python3 - <<'EOF'
import glob, os, shutil, subprocess

values = ["plain/path-1.qcd", "", " ", "a b", "'", "''", "a'b'c", '"', "\\", "\\'", "\\\\n", "$HOME", "$(touch pwned)",
          "`touch pwned`", "; touch pwned", "& touch pwned &", "| touch pwned", "> pwned", "< /none", "*", "?", "[a-z]",
          "~", "#", "!", "!!", "%s%n", "{}", "{1}", "{data}", "${data}", "-n", "--", "\t", "a\tb", "\x1b[31m", "\x7f",
          "\xe4", "\u202e", "' ; touch pwned ; '", "'\"'\"'", "&&", "||", "(", ")", "a=b", "=ls", "\x01\x02", "\v\f"]
values = [v.encode() for v in values] + [b"\xff\xfe", b"\xc2\x9b31m", b"\xe4 latin", b"\x9b"]
runners = (["sh"], ["xargs", "-d", "\\n", "-n", "1", "sh", "-c"], ["parallel", "--will-cite", "-j", "1"])

def commands(dir, value):
    made = subprocess.run(["qc-sweep", "-q", "-o", dir, "--set", b"data=" + value, "e.yaml"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return made.returncode, made.stdout, made.stderr

wrong = 0
def check(holds, *words):
    global wrong
    if holds: return
    wrong += 1
    print(*words)

for runner in runners:
    # parallel starts slowly, so every runner gets the lines of all values at once
    lines, expected = b"", {}
    for i, value in enumerate(values):
        for dir in (b"runs", b"of ' $(touch pwned) \"%d" % i):
            if dir == b"runs": dir = b"runs%d" % i
            status, out, err = commands(dir, value)
            check(status == 0 and out.count(b"\n") == 1 and out.endswith(b"\n"), value, status, out, err)
            lines += out
            expected[dir] = value
    subprocess.run(runner, input=lines, stdout=subprocess.DEVNULL)
    for dir, value in expected.items():
        outs = [f for f in (glob.glob(glob.escape(dir) + b"/copy-*")) if not f.endswith(b".done")]
        check(len(outs) == 1 and os.path.exists(outs[0] + b".done"), runner[0], dir, "is not done")
        check(len(outs) == 1 and open(outs[0], "rb").read() == value, runner[0], dir, value, "became something else")
        shutil.rmtree(dir)
    check(not os.path.exists("pwned"), runner[0], "ran what is none of its commands")
print(len(values) * 2 * len(runners), "commands,", wrong, "wrong")

# no quoting of a line break is one line for all three runners: refused
for value in (b"a\nb", b"\n", b"a\rb", b"a\n"):
    status, out, err = commands(b"runs", value)
    print(status, out, err.decode().strip())
    status, out, err = commands(value, b"none")
    print(status, out, err.decode().strip())
print(*commands(b"-runs", b"none"))
EOF
