#!/bin/sh
# import.sh - measures the import of a CSV table and of an npz archive on one core, beside numpy.loadtxt and numpy.load
# in one run. Files are in memory (/dev/shm), so that the disk has no influence.
# Prints TSV: form, program, MB of the input, seconds of the processor (the best of three runs), MB/s, peak memory
# divided by the size of the data file. Then the bars.
set -eu
place=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
export OMP_NUM_THREADS=1
/usr/bin/python3 - <<'END'
import numpy as np

n = 120000
x = np.random.default_rng(1).normal(size=(n, 45)).astype(np.float32)
with open('table.csv', 'w') as f:
    f.write(','.join('c%d' % i for i in range(45)) + ',label\n')
    for i in range(n):
        f.write(','.join('%.5f' % v for v in x[i]) + ',%d\n' % (i * 5 // n))
windows = x.reshape(n // 100, 100, 45).transpose(0, 2, 1).repeat(8, 0)
np.savez('arrays.npz', x=windows, y=np.arange(len(windows)) % 5)
END
# a separate process without NumPy, because the peak memory of a child is at least its parent's
/usr/bin/python3 - <<'END'
import os, sys

CASES = [('csv', 'table.csv', ['--window', '100'], 150,
          "numpy.loadtxt('table.csv', delimiter=',', skiprows=1, dtype='f4')"),
         ('npz', 'arrays.npz', [], 300, "a = numpy.load('arrays.npz'); a['x'], a['y']")]


def run(words):
    """Seconds and peak bytes of the best of three runs."""
    runs = []
    for _ in range(3):
        _, status, usage = os.wait4(os.posix_spawnp(words[0], words, os.environ), 0)
        if status:
            sys.exit('%s failed' % words[0])
        runs.append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024))
    return min(runs)


def show(form, program, size, seconds, part):
    print('%s\t%s\t%.0f\t%.3f\t%.0f\t%.2f' % (form, program, size / 1e6, seconds, size / 1e6 / seconds, part))


nothing = run(['/usr/bin/python3', '-c', 'import numpy'])[0]  # the interpreter's own time is not numpy.load's
bars = []
for form, path, options, bar, read in CASES:
    size = os.path.getsize(path)
    seconds, peak = run(['qc-import', '-q', '--threads', '1', '-o', 'out.qcd'] + options + [path])
    speed, data = size / 1e6 / seconds, os.path.getsize('out.qcd')
    show(form, 'qc-import', size, seconds, peak / data)
    bars.append('bar import-%s %.0f >= %d %s' % (form, speed, bar, 'ok' if speed >= bar else 'MISSED'))
    bars.append('bar import-%s-memory %.2f <= 1.3 %s' % (form, peak / data, 'ok' if peak <= 1.3 * data else 'MISSED'))
    seconds, peak = run(['/usr/bin/python3', '-c', 'import numpy; ' + read])
    show(form, 'numpy', size, seconds - nothing, peak / data)
print('\n'.join(bars))
END
