#!/usr/bin/env python3
# Writes small recordings under the names that the manuals' examples use, in the current folder. Three people do three
# activities; the sensors of each person have another offset.
import gzip, math, os, random, struct, wave

random.seed(17)
STEPS, CHANNELS, WINDOWS, PEOPLE, ACTIVITIES = 25, 3, 28, ('p1', 'p2', 'p3'), ('lying', 'sitting', 'walking')

def sample(person, activity, channel, t):
    return (math.sin(t * (activity + 1) / 3 + channel) * (1 + activity) + person * (activity - 1) * .8 +
            random.gauss(0, .2))

def window(person, activity):
    return [[sample(person, activity, c, t) for t in range(STEPS)] for c in range(CHANNELS)]

def write(path, lines):
    if os.path.dirname(path): os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file: file.writelines(line + '\n' for line in lines)

def row(values): return ','.join(f'{v:.4f}' for v in values)

windows = [(p, a, window(p, a)) for p in range(3) for a in range(3) for _ in range(WINDOWS)]
write('walks.csv', ['person,label,' + ','.join(f'v{i}' for i in range(CHANNELS * STEPS))] +
      [f'{PEOPLE[p]},{ACTIVITIES[a]},' + row(sum(x, [])) for p, a, x in windows])

# UCI-DSA: a segment per file.
count = {}
for p, a, x in windows:
    k = count[p, a] = count.get((p, a), 0) + 1
    write(f'DailyActivities/a{a + 1:02}/{PEOPLE[p]}/s{k:02}.txt', [row(frame) for frame in zip(*x)])

# A sample per row at 25 Hz; the stream of qc-run has times of day.
def samples(p): return [(ACTIVITIES[a], frame) for q, a, x in windows if q == p for frame in zip(*x)]
write('recording.csv', ['t_s,ax,ay,az,activity'] +
      [f'{i / 25:.2f},{row(frame)},{a}' for i, (a, frame) in enumerate(samples(0))])
frames = [frame for _, frame in samples(1)]
write('frames.csv', ['time,ax,ay,az'] + [f'2026-11-29T10:0{1 + i // 1500}:{i % 1500 / 25:05.2f},{row(frame)}'
                                         for i, frame in enumerate(frames)])
open('frames.raw', 'wb').write(b''.join(struct.pack('<3f', *frame) for frame in frames))
open('frames.i16', 'wb').write(b''.join(struct.pack('<3h', *(int(100 * v) for v in frame)) for frame in frames))

for a in ACTIVITIES:
    for k in range(2): write(f'edge-impulse/training/{a}.r{k}.csv', ['timestamp,x,y'] +
                             [f'{10 * i},{random.random():.3f},{k}' for i in range(150)])
for b in (1, 2): write(f'gas-drift/batch{b}.dat', [f'{1 + i % 3} 1:{random.random():.3f} 2:{i}' for i in range(12)])

def sound(path, n):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wave.open(path, 'wb') as file:
        file.setparams((1, 2, 8000, 0, 'NONE', ''))
        file.writeframes(struct.pack(f'<{n}h', *(random.randrange(-9000, 9000) for _ in range(n))))
for digit in range(3): sound(f'fsdd/{digit}_jackson_{digit}.wav', 200 + 9 * digit)

for k in range(8):
    os.makedirs('myo/Female0/Test0', exist_ok=True)
    open(f'myo/Female0/Test0/classe_{k}.dat', 'wb').write(
        struct.pack('<800h', *(random.randrange(-99, 99) for _ in range(800))))

# WFDB, format 16: a beat every 300 samples.
os.makedirs('mit-bih', exist_ok=True)
write('mit-bih/100.hea', ['100 1 360 3000', '100.dat 16 200 11 1024 0 0 0 MLII'])
open('mit-bih/100.dat', 'wb').write(struct.pack('<3000h', *(random.randrange(900, 1100) for _ in range(3000))))
beats = [(1 + 4 * (i % 2)) << 10 | 300 for i in range(9)]
open('mit-bih/100.atr', 'wb').write(struct.pack('<10H', *beats, 0))

for kind in ('acc', 'gyro'): write(f'hapt/Raw-Data/{kind}_exp01_user01.txt',
                                   [' '.join(f'{random.random():.3f}' for _ in range(3)) for _ in range(600)])
write('hapt/Raw-Data/labels.txt', ['1 1 5 1 300', '1 1 4 301 600'])

with gzip.open('t10k-images-idx3-ubyte.gz', 'wb') as file:
    file.write(struct.pack('>4i', 2051, 6, 28, 28) + bytes(random.randrange(256) for _ in range(6 * 784)))
with gzip.open('t10k-labels-idx1-ubyte.gz', 'wb') as file: file.write(struct.pack('>2i', 2049, 6) + bytes(range(6)))
write('zip.train', [f'{k % 3}.0000 ' + ' '.join(f'{random.uniform(-1, 1):.3f}' for _ in range(256))
                    for k in range(9)])
write('classes.txt', ACTIVITIES)

for k, domain in enumerate(('bike', 'mug')):
    for i in range(8):
        os.makedirs(f'amazon/{domain}', exist_ok=True)
        open(f'amazon/{domain}/{i}.ppm', 'wb').write(b'P6 8 8 255\n' + bytes(
            random.randrange(120 * k, 120 + 120 * k) for _ in range(192)))

# USC-HAD's names: trial t of activity a.
write('s2.csv', ['label,recording,' + ','.join(f'v{i}' for i in range(6))] +
      [f'a{a},Subject2/a{a}t{t},' + row(random.random() for _ in range(6)) for a in (1, 2) for t in range(1, 6)
       for _ in range(3)])
