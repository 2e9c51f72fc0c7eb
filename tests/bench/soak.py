"""soak.py - qc-run for a long time: late, wrong and missing labels, kill -9 at random moments, and power cuts.

    soak.py MODEL CORESET WINDOWS RESTARTS SEED

Two runs get the same windows and labels. One is left alone; the other is killed RESTARTS times and goes on from its
state. Every second kill is a power cut: the latest slot of the state (lib/device/state.h) is left as an unfinished
write leaves it. Their states must be the same bytes, and so must the answers. The resident memory of the first run may
not grow after 1,000 windows. A label that has not come when the learner adapts never comes: it would not survive a
restart.
Frames are made of a seed, in the three classes of the model that soak.sh makes, and drift. Runs in the current folder;
prints a line per fact, and ends with 1 if a fact is false.
"""
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import time

MODEL, CORESET, WINDOWS, RESTARTS, SEED = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
BLOCK, PAGE = 4096, 512  # of a state file: what is before the first slot, and what a slot has for its header
CLASSES, LENGTH, EVERY, LATE_MOST = ["lying", "sitting", "standing"], 24, 8, 20


def frames_of(w):
    r = random.Random(SEED * 1000003 + w)
    c, drift = w % 3, .3 * math.sin(w / 400)
    rows = [",".join("%.3f" % ((1.2 if channel == c else -.2) + drift + r.gauss(0, .5)) for channel in range(3))
            for _ in range(LENGTH)]
    return ("\n".join(rows) + "\n").encode()


def label_of(w):
    """The label's delay in windows and its class, or None: a third have one, a tenth of which are wrong."""
    r = random.Random(SEED * 7919 + w)
    if r.random() > .34:
        return None
    return r.randrange(LATE_MOST), CLASSES[r.randrange(3) if r.random() < .1 else w % 3]


class Run:
    def __init__(self, state):
        self.state, self.answers, self.pending, self.adapts, self.refused = state, {}, [], 0, 0
        self.fifo = state + ".labels"
        os.mkfifo(self.fifo)

    def start(self):
        self.process = subprocess.Popen(
            ["qc-run", "-q", "--json", "-c", CORESET, "--state", self.state, "--every", str(EVERY), "--labels",
             self.fifo, MODEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.labels = os.open(self.fifo, os.O_RDWR)
        self.pending = []
        self.at, self.given = None, 0

    def read(self, key):
        """The next object with this key; an adapt drops the labels that have not come."""
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("qc-run has ended, with status %s" % self.process.wait())
            found = json.loads(line)
            if "adapt" in found:
                self.adapts += 1
                self.refused += found["refused"]
                self.pending = [p for p in self.pending if p[1] > self.at]
            if key in found:
                return found

    def window(self, w):
        self.process.stdin.write(frames_of(w))
        self.process.stdin.flush()
        self.at = w
        answer = self.read("window")
        assert answer["window"] == w, (answer, w)
        same = self.answers.setdefault(w, answer["class"]) == answer["class"]
        if label_of(w):
            delay, name = label_of(w)
            self.pending.append((w + delay, w, name))
        for due in sorted(p for p in self.pending if p[0] <= w):
            if due not in self.pending:
                continue  # an adapt has dropped it
            self.pending.remove(due)
            os.write(self.labels, b"%d %s\n" % (due[1], due[2].encode()))
            self.read("late")
            self.catch_up()
        return same

    def catch_up(self):
        """The adapt that follows a label, if one does."""
        self.given += 1
        if self.given == EVERY:
            self.given = 0
            self.read("adapt")

    def resident(self):
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def is_sanitized(self):
        with open("/proc/%d/maps" % self.process.pid) as f:
            return "asan" in f.read()

    def close(self):
        self.process.stdin.close()
        for _ in self.process.stdout:
            pass
        os.close(self.labels)
        return self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.close(self.labels)


def cut_power(state, r):
    """Leaves the latest slot as an unfinished write does. 0: header and end of the content were not written, 1: half of
    the header was, 2: the disk wrote the header before the content."""
    with open(state, "r+b") as f:
        image, slots = f.read(), []
        for at in range(BLOCK, len(image), BLOCK):
            if image[at:at + 4] == b"QCCS":
                sequence, content = struct.unpack_from("<II", image, at + 16)
                slots.append((sequence, at, content))
        if not slots:
            return
        _, at, content = max(slots)
        kind = r.randrange(3)
        if kind != 1:
            cut = r.randrange(content)
            f.seek(at + PAGE + cut)
            f.write(b"\xff" * (content - cut))
        if kind != 2:
            cut = r.randrange(1, 32) if kind == 1 else 0
            f.seek(at + cut)
            f.write(b"\xff" * (32 - cut))


def start_of(state):
    """The window that a run with this state would go on from. A run saves, so it gets a copy."""
    shutil.copy(state, "copy")
    probe = subprocess.run(["qc-run", "-q", "--json", "-c", CORESET, "--state", "copy", MODEL],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return json.loads(probe.stdout.splitlines()[0])["start"]


def fact(is_true, words):
    print(("" if is_true else "NOT ") + words)
    return is_true


def run_alone():
    run, early, resident, start = Run("whole"), 0, 0, time.time()
    run.start()
    for w in range(WINDOWS):
        run.window(w)
        if w == min(1000, WINDOWS // 2):
            early, half = run.resident(), time.time()
    resident, sanitized = run.resident(), run.is_sanitized()
    print("%.0f windows per second at first, %.0f later; resident %d KB, then %d KB" % (
        min(1000, WINDOWS // 2) / (half - start), (WINDOWS - min(1000, WINDOWS // 2)) / (time.time() - half),
        early // 1024, resident // 1024), file=sys.stderr)
    ok = fact(run.close() == 0, "the run ends with status 0")
    ok &= fact(sanitized or resident <= early + 65536, "resident memory is flat")
    ok &= fact(run.adapts > WINDOWS // 60, "it learns: %d windows per adapt at most" % 60)
    return run, ok


def run_killed():
    run, r, same, torn, went_back, cuts = Run("killed"), random.Random(SEED), True, True, 0, 0
    moments = sorted(r.randrange(1, WINDOWS) for _ in range(RESTARTS))
    run.start()
    w = 0
    while w < WINDOWS:
        same &= run.window(w)
        w += 1
        if moments and w >= moments[0]:
            moments.pop(0)
            run.kill()
            back = start_of(run.state)
            if len(moments) % 2:
                cut_power(run.state, r)
                before, back, cuts = back, start_of(run.state), cuts + 1
                torn &= back < before or before == 0
            went_back += w - back
            w = back
            run.start()
    status = run.close()
    print("%d restarts, %d of them after power cuts, %d windows again" % (RESTARTS, cuts, went_back), file=sys.stderr)
    ended = fact(status == 0, "the killed run ends with status 0")
    ended &= fact(torn, "a power cut costs the latest save")
    return run, ended & fact(same, "windows again have the same answer")


whole, good = run_alone()
killed, also = run_killed()
good &= also & fact(whole.answers == killed.answers, "both runs have the same answers")
with open("whole", "rb") as a, open("killed", "rb") as b:
    good &= fact(a.read() == b.read(), "both states are the same bytes")
sys.exit(0 if good else 1)
