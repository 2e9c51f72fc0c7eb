"""run.py - measures the time from the last frame of a window to the line of qc-run.

    run.py DATA TABLE MODEL...      DATA: windows; TABLE: the same windows as CSV, one per row (qc-export -f csv)
"""
import csv
import re
import resource
import statistics
import subprocess
import sys
import time

WINDOWS = 300


def windows_of(path):
    """Each window as two pieces of text: all frames except the last, and the last frame."""
    with open(path) as f:
        rows = csv.reader(f)
        header = next(rows)
        at = {tuple(map(int, m.groups())): i for i, name in enumerate(header)
              for m in [re.fullmatch(r"c(\d+)_(\d+)", name)] if m}
        channels, length = max(c for c, _ in at), max(t for _, t in at)
        for row in rows:
            frames = [",".join(row[at[c, t]] for c in range(1, channels + 1)) + "\n" for t in range(1, length + 1)]
            yield "".join(frames[:-1]).encode(), frames[-1].encode()


def line_times(model, windows):
    run = subprocess.Popen(["qc-run", "-q", model], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    times = []
    for n, (first, last) in enumerate(windows):
        run.stdin.write(first)
        run.stdin.flush()
        time.sleep(.02)  # these are read, and the process waits again
        start = time.perf_counter()
        run.stdin.write(last)
        run.stdin.flush()
        if n == 0:
            run.stdout.readline()  # the heading
        run.stdout.readline()
        times.append(time.perf_counter() - start)
    run.stdin.close()
    run.wait()
    return times


def forward_time(model, data):
    """Seconds per window: least processor time of nine runs over all windows, in which the start is a small part."""
    times = []
    for _ in range(9):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        lines = subprocess.run(["qc-run", "-q", "-d", data, model], stdout=subprocess.PIPE, check=True).stdout
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        times.append(used / (lines.count(b"\n") - 1))
    return min(times)


windows = list(windows_of(sys.argv[2]))[:WINDOWS]
for model in sys.argv[3:]:
    forward, line = forward_time(model, sys.argv[1]), statistics.median(line_times(model, windows))
    print("%s\t%.0f\t%.0f\t%.2f" % (model, forward * 1e6, line * 1e6, line / forward))
    print("bar %s-line/forward %.2f <= 2.00 %s" % (model, line / forward, "ok" if line <= 2 * forward else "MISSED"))
