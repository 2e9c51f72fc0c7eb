#!/bin/sh
# import.sh - measures the import of a CSV table and of an npz archive on one core, beside numpy.loadtxt and numpy.load
# in one run. Files are in memory (/dev/shm), so that the disk has no influence.
# Prints TSV: form, program, MB of the input, seconds of the processor (the best of five runs), MB/s, peak memory and
# peak resident set, and then the bars. Memory is in parts of the size of the data file. "Memory" is what the process
# needs: anonymous pages, sampled every half millisecond. The resident set also has mapped pages of input and libraries.
set -eu
place=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
export OMP_NUM_THREADS=1
/usr/bin/python3 - <<'EOF'
import numpy as np

n = 120000
x = np.random.default_rng(1).normal(size=(n, 45)).astype(np.float32)
with open('table.csv', 'w') as f:
    f.write(','.join('c%d' % i for i in range(45)) + ',label\n')
    for i in range(n):
        f.write(','.join('%.5f' % v for v in x[i]) + ',%d\n' % (i * 5 // n))
windows = x.reshape(n // 100, 100, 45).transpose(0, 2, 1).repeat(8, 0)
np.savez('arrays.npz', x=windows, y=np.arange(len(windows)) % 5)
EOF
# a separate process without NumPy, because the peak memory of a child is at least its parent's
/usr/bin/python3 - <<'EOF'
import os, re, sys, time

CASES = [('csv', 'table.csv', ['--window', '100'], 150,
          "numpy.loadtxt('table.csv', delimiter=',', skiprows=1, dtype='f4')"),
         ('npz', 'arrays.npz', [], 300, "a = numpy.load('arrays.npz'); a['x'], a['y']")]


def watch(child):
    """Waits for a process. Returns its usage, and the largest sample of bytes of anonymous pages."""
    most = 0
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage, most
        found = re.search(r'RssAnon:\s*(\d+)', open('/proc/%d/status' % child).read())
        most = max(most, 1024 * int(found.group(1)) if found else 0)
        time.sleep(.0005)


def run(words):
    """Least seconds, and the largest peaks of memory, of five runs."""
    seconds, resident, anonymous = [], 0, 0
    for _ in range(5):
        status, usage, most = watch(os.posix_spawnp(words[0], words, os.environ))
        if status:
            sys.exit('%s failed' % words[0])
        seconds.append(usage.ru_utime + usage.ru_stime)
        resident, anonymous = max(resident, usage.ru_maxrss * 1024), max(anonymous, most)
    return min(seconds), anonymous, resident


def show(form, program, size, seconds, *parts):
    print('%s\t%s\t%.0f\t%.3f\t%.0f\t%.2f\t%.2f' % (form, program, size / 1e6, seconds, size / 1e6 / seconds, *parts))


nothing = run(['/usr/bin/python3', '-c', 'import numpy'])[0]  # the interpreter's own time is not numpy.load's
bars = []
for form, path, options, bar, read in CASES:
    size = os.path.getsize(path)
    seconds, needed, resident = run(['qc-import', '-q', '--threads', '1', '-o', 'out.qcd'] + options + [path])
    speed, data = size / 1e6 / seconds, os.path.getsize('out.qcd')
    show(form, 'qc-import', size, seconds, needed / data, resident / data)
    bars.append('bar import-%s %.0f >= %d %s' % (form, speed, bar, 'ok' if speed >= bar else 'MISSED'))
    verdict = 'ok' if needed <= 1.3 * data else 'MISSED'
    bars.append('bar import-%s-memory %.2f <= 1.3 %s' % (form, needed / data, verdict))
    seconds, needed, resident = run(['/usr/bin/python3', '-c', 'import numpy; ' + read])
    show(form, 'numpy', size, seconds - nothing, needed / data, resident / data)
print('\n'.join(bars))
EOF
