# More classes than a short list, in no order: each example keeps its own class in each format whose classes are sorted.
# The first channel is the number of the class.
exec /usr/bin/python3 - <<'END'
import os, random, subprocess
import numpy as np

N = 200
random.seed(1)
order = list(range(N)) * 2
random.shuffle(order)

def write(name, lines):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w") as f: f.writelines(line + "\n" for line in lines)

write("a.csv", ["a,b,label"] + ["%d,%d,class%d" % (k, i % 3, k) for i, k in enumerate(order)])
write("a.svm", ["%d 1:%d 2:%d" % (k, k, i % 3) for i, k in enumerate(order)])
write("a.ts", ["@problemName x", "@timeStamps false", "@univariate true", "@classLabel true " +
               " ".join("class%d" % k for k in dict.fromkeys(order)), "@data"] +
      ["%d,%d:class%d" % (k, i % 3, k) for i, k in enumerate(order)])
write("a.arff", ["@relation x", "@attribute a numeric", "@attribute b numeric", "@attribute label {" +
                 ",".join("class%d" % k for k in dict.fromkeys(order)) + "}", "@data"] +
      ["%d,%d,class%d" % (k, i % 3, k) for i, k in enumerate(order)])
x = np.array([[k, i % 3] for i, k in enumerate(order)], np.float32)
np.savez("a.npz", x=x, y=np.array(order))
np.savez("b.npz", x=x, y=np.array(["class%d" % k for k in order]))
for i in range(8):
    classes = list(dict.fromkeys(order))[25 * i:25 * i + 25]
    write("tables/t%d.csv" % i, ["a,b,label"] + ["%d,%d,class%d" % (k, j % 3, k) for j, k in enumerate(classes * 2)])
write("names", ["%d name%d" % (k, k) for k in reversed(range(N))])

def check(what, *words):
    made = subprocess.run(["qc-import", "-q", "-o", "d.qcd", *words], stderr=subprocess.PIPE)
    if made.returncode: print(what, made.returncode, made.stderr.decode())
    rows = subprocess.run(["qc-export", "-q", "-f", "csv", "d.qcd"], stdout=subprocess.PIPE).stdout.decode().split("\n")
    head, rows = rows[0].split(","), [row.split(",") for row in rows[1:] if row]
    value, label = head.index(next(name for name in head if name.startswith("c1_"))), head.index("label")
    wrong = [row for row in rows if row[label].lstrip("clasnme") != row[value]]
    print(what, len(rows), "examples,", len({row[label] for row in rows}), "classes,", len(wrong), "wrong", wrong[:2])

check("csv", "-f", "csv", "--columns", "a,b", "--label-column", "label", "a.csv")
check("libsvm", "-f", "libsvm", "a.svm")
check("libsvm with names", "-f", "libsvm", "--label-names", "names", "a.svm")
check("ts", "-f", "ts", "a.ts")
check("arff", "-f", "arff", "a.arff")
check("npz", "-f", "npz", "a.npz")
check("npz with words", "-f", "npz", "b.npz")
check("tables of a folder", "-f", "csv", "--columns", "a,b", "--label-column", "label", "tables")
END
