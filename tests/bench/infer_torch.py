"""infer_torch.py THREADS CALLS: the PyTorch program of bench_infer.

For each line on stdin, runs CALLS forward passes of InceptionTime in float, in evaluation mode without gradients, on
one window each. Prints the seconds of the fastest pass on one line.
"""
import sys
import time

from train_torch import InceptionTime, torch


def main():
    threads, calls = map(int, sys.argv[1:3])
    torch.set_num_threads(threads)
    net = InceptionTime().eval()
    x = torch.randn(1, 45, 125)
    with torch.inference_mode():
        for _ in sys.stdin:
            best = 1e9
            for _ in range(calls):
                start = time.perf_counter()
                net(x)
                best = min(best, time.perf_counter() - start)
            print("%.9f" % best, flush=True)


main()
