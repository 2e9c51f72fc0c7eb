# Labels, groups, file names, options and values with terminal escapes. No program prints a control character or invalid
# UTF-8, in text or JSON, on stdout or stderr.
exec /usr/bin/python3 - <<'EOF'
import json, os, subprocess, unicodedata

ENDS = b"\x1b[2J\xc2\x9b31m\x9b\xff\xe2\x80\xae"
hostile = b"a" + ENDS + b"\x07b"
runs = wrong = refused = 0

def unsafe(text):
    directions = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    control = [c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c not in "\n\t"]
    return control + [c for c in text if c in directions]

def run(*words, may_fail=1, data=None):
    global runs, wrong, refused
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    runs += 1
    for stream in (done.stdout, done.stderr):
        try:
            bad = unsafe(stream.decode())
        except UnicodeDecodeError as e:
            bad = [str(e)]
        if bad: wrong += 1; print(words, done.returncode, bad[:3], stream)
    if done.returncode:
        refused += 1
        if not may_fail: print(words, done.returncode, done.stderr)
    return done.stdout

def csv(path, label, n=24):
    with open(path, "wb") as f:
        f.write(b"group,c1,c2,c3,label\n")
        for i in range(n):
            group, name = label if i % 3 else b"", label if i % 2 else b"plain"
            f.write(b'"g%s",%d,%d,%d,"%s"\n' % (group, i % 5, i % 7, i * i % 11, name))

# labels as files of ours can hold them: what an importer refuses is put in afterwards by our own writer
for k, label in enumerate((b"a\xc2\x9b31mb", b"\xe2\x80\xaegnp", b"tab\there", b"quote\"back\\slash", hostile, b"\x9b",
                           b"new\nline")):
    csv("d.csv", label)
    run("qc-import", "-f", "csv", "--header", "yes", "-o", "d.qcd", "d.csv")
    run("qc-import", "-f", "csv", "-q", "--label-column", "label", "--group-column", "group", "-o", "d%d.qcd" % k,
        "d.csv")

subprocess.run("qc-synth -q --subjects 1 --activities 3 --windows 12 --channels 2 --length 8 -o s.qcd", shell=True,
               check=True)
for k in range(7):
    if not os.path.exists("d%d.qcd" % k): continue
    d = "d%d.qcd" % k
    for words in (["qc-info", d], ["qc-split", "-t", ".3", "-o", "x.qcd", "-O", "y.qcd", d],
                  ["qc-split", "-g", "none", "-o", "x.qcd", d], ["qc-coreset", "-n", "6", "-d", d, "-o", "c.qcd"],
                  ["qc-train", "-a", "mlp", "-d", d, "--epochs", "1", "--threads", "1", "-o", "m.qcm"],
                  ["qc-info", "m.qcm"], ["qc-eval", "-d", d, "m.qcm"], ["qc-eval", "-d", "s.qcd", "m.qcm"],
                  ["qc-quantize", "--epochs", "1", "--threads", "1", "-c", "c.qcd", "-o", "q.qcm", "m.qcm"],
                  ["qc-eval", "--confusion", "-d", d, "q.qcm"], ["qc-export", "-f", "csv", "-o", "e.csv", d],
                  ["qc-calibrate", "-c", "c.qcd", "-s", d, "-o", "n.qcm", "q.qcm"]):
        run(*words)
        if words[0] in ("qc-info", "qc-eval", "qc-split", "qc-coreset", "qc-train", "qc-calibrate"):
            for line in run(*words[:1], "--json", *words[1:]).decode(errors="replace").splitlines():
                try: json.loads(line)
                except ValueError: print(words, "is no JSON:", line)

# names of files that are there, that are not, and that are no files of ours
os.symlink("s.qcd", hostile)
for name in (hostile, b"none" + ENDS, b"\x9b" * 700):
    for program in sorted(os.listdir(os.environ["BIN"])):
        if not program.startswith("qc-"): continue
        for words in ([name], ["--config", name], ["-o", name, name], ["--json", name], ["-d", name, name],
                      ["-c", name, "-s", name, name], ["--no" + os.fsdecode(ENDS)], [b"-" + ENDS],
                      ["--max-bytes", name], ["--seed", name], ["-a", name, "-d", name], ["-f", name, name]):
            run(program, *words, data=b"")
    with open("config.yaml", "wb") as f: f.write(b'"no\\u009bsuch\\e[2J": 1\n')
run("qc-info", "--config", "config.yaml", "s.qcd")
run("qc-eval", "--json", "-d", hostile, "m.qcm")
run("qc-info", hostile, may_fail=0)
print("done", wrong, runs > 300, refused > 200)
EOF
