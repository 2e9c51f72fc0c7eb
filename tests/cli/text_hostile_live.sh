# As text_hostile.sh, for live sessions, pages of them, exports, estimates and tables of experiments: labels, times,
# names of models, cores, columns, steps and axes with terminal escapes, markup and invalid UTF-8.
exec /usr/bin/python3 - <<'END'
import json, os, pty, subprocess, unicodedata, xml.dom.minidom

wrong = runs = 0

def check(holds, *words):
    global wrong
    if not holds: wrong += 1; print(*words)

def unsafe(text):
    return [c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c not in "\n\t" or
            c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff"]

def look(words, stream):
    try: bad = unsafe(stream.decode())
    except UnicodeDecodeError as e: bad = [str(e)]
    check(not bad, words, bad[:3], stream[:300])

def run(*words, data=b"", fails=False):
    global runs
    runs += 1
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    look(words, done.stdout)
    look(words, done.stderr)
    check(fails or not done.returncode, words, done.returncode, done.stderr)
    return done.stdout

def lines_of_json(words, data=b""):
    out = run(*words, data=data)
    for line in out.decode().splitlines(): json.loads(line)
    return out

evil = [b"a\xc2\x9b31mbbbbbbb", b"b\x1b]0;x\x07\xff\xfe<i>&", b"c\"'\\`$(:)|{}\xe2\x80\xae"]
plain = [b"plain%d" % i for i in range(3)]
with open("d.csv", "wb") as f:
    f.write(b"c1,c2,c3,label\n")
    for i in range(60): f.write(b"%d,%d,%d,%s\n" % (i % 5, i % 7, i * i % 11 + 20 * (i % 3), plain[i % 3]))
run("qc-import", "-q", "--channels", "3", "--label-column", "label", "-o", "d.qcd", "d.csv")
run("qc-coreset", "-q", "-n", "9", "-d", "d.qcd", "-o", "core.qcd")
run("qc-train", "-q", "-a", "mlp", "--threads", "1", "--epochs", "2", "-d", "d.qcd", "-o", "f.qcm")
run("qc-quantize", "-q", "--force", "-b", "4", "--epochs", "1", "--threads", "1", "-c", "core.qcd", "-d", "d.qcd", "-o",
    "q.qcm", "f.qcm")
with open("names", "wb") as f: f.write(b"".join(b"%s\n" % e for e in evil))
frames = b"".join(b"%d,%d,%d\n" % (i % 5, i % 7, i * i % 11 + 20 * (i % 3)) for i in range(60))

# the labels of a stream are other names: unknown classes, in each reader of labels
labels = b"c1,c2,c3,label\n" + b"".join(b"1,2,%d,\"%s\"\n" % (i, evil[i % 3].replace(b'"', b'""')) for i in range(9))
run("qc-run", "-c", "core.qcd", "--state", "s1", "--label-column", "label", "q.qcm", data=labels, fails=True)
with open("e.csv", "wb") as f: f.write(labels)
run("qc-import", "-o", "e.qcd", "e.csv", fails=True)
for i, name in enumerate(evil):
    os.mkfifo("fifo%d" % i)
    writer = subprocess.Popen(["sh", "-c", "exec cat > fifo%d" % i], stdin=subprocess.PIPE)
    reader = subprocess.Popen(["qc-run", "-c", "core.qcd", "--state", "t%d" % i, "--labels", "fifo%d" % i, "q.qcm"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer.communicate(b"0 " + name + b"\n" + name + b"\n")
    for stream in reader.communicate(frames): look(("labels", name), stream)
run("qc-run", "--columns", evil[0].decode() + "," + "c2,c3", "q.qcm", data=labels, fails=True)
run("qc-run", "--time-column", evil[0], "q.qcm", data=labels, fails=True)
run("qc-run", "--time-column", "t", "q.qcm", data=b"t,c1,c2,c3\n\xc2\x9b31m,1,2,3\n", fails=True)
for words in (["--tune", evil[1] + b"=1"], ["--raw", evil[2]], ["--decimal", evil[0]]):
    run("qc-run", *words, "q.qcm", data=frames, fails=True)

# logs that say what a hostile qc-run would say
log = run("qc-run", "--json", "-c", "core.qcd", "--state", "s2", "--label-column", "label", "q.qcm",
          data=open("d.csv", "rb").read())
for name in evil + [b"\xef\xbf\xbf\xef\xbf\xbe", b"</td><script>", b"tab\\there"]:
    text = name.decode(errors="replace")
    changed = log.replace(b'"%s"' % plain[0], json.dumps(text).encode())
    check(changed != log, "the log does not name", plain[0])
    with open("log", "wb") as f: f.write(changed)
    xml.dom.minidom.parseString(run("qc-report", "log"))
    page = run("qc-report", "--html", "log")
    check(b"<script" not in page and b"<i>" not in page, page[-500:])

# the status line on a terminal
leader, follower = pty.openpty()
shown = subprocess.Popen(["qc-run", "--status", "q.qcm"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                         stderr=follower)
shown.communicate(frames)
os.close(follower)
seen = b""
try:
    while True:
        piece = os.read(leader, 4096)
        if not piece: break
        seen += piece
except OSError: pass
check(b"windows" in seen, seen)

# cores, and models under hostile names
with open(b"core" + evil[1].replace(b"/", b""), "wb") as f: f.write(b'"a\\u009b": 1\n')
for core in (evil[0], evil[1], b"core" + evil[1].replace(b"/", b"") + b"@8MHz", b"cortex-m4@" + evil[2]):
    run("qc-info", "--target", core, "q.qcm", fails=True)
    run("qc-info", "--json", "--target", core, "q.qcm", fails=True)
for name in evil:
    os.symlink("q.qcm", name)
    lines_of_json(["qc-info", "--json", name])
    run("qc-info", name)
    run("qc-info", "--target", "cortex-m4@64MHz", name)
    run("qc-export", "-f", "c", "-o", b"x.c", "-c", "core.qcd", name)
    look("x.c", open("x.c", "rb").read())
    run("qc-export", "-f", "c", "-o", name + b".c", name, fails=True)
    run("qc-export", "-f", name, "-o", "x", "q.qcm", fails=True)
    run("qc-export", "-f", "onnx", "-o", name + b".onnx", name)
    run("qc-import", "-f", "onnx", "-o", "x.qcm", name + b".onnx", fails=True)

# experiments
yaml = [json.dumps(e.decode(errors="replace").replace("$", "").replace("{", "").replace("}", "")) for e in evil]
with open("x.yaml", "w") as f:
    f.write("name: %s\naxes:\n  seed: [1]\n  kind: [%s]\nsteps:\n  run: \"true\"\nreport: run\n" % (yaml[1],
            ", ".join(yaml)))
for words in (["qc-sweep", "x.yaml"], ["qc-sweep", "--status", "x.yaml"], ["qc-sweep", "--json", "--status", "x.yaml"],
              ["qc-report", "x.yaml"], ["qc-sweep", "--set", b"kind=" + evil[0], "x.yaml"],
              ["qc-report", "-g", evil[0], "x.yaml"], ["qc-report", "--figures", evil[1], "x.yaml"],
              ["qc-report", "--plot", evil[2], "x.yaml"]):
    run(*words, fails=True)
table = b"kind\tseed\tmean_after\tms\n" + b"".join(b"%s\t1\t0.5\t1\n" % e for e in evil)
with open("runs.tsv", "wb") as f: f.write(table)
for form in ("tsv", "md", "latex", "json", "runs"):
    run("qc-report", "-f", form, "-g", "kind", "runs.tsv", fails=True)
run("qc-report", "--plot", "kind,mean_after", "runs.tsv", fails=True)
print("done", wrong, runs > 60)
END
