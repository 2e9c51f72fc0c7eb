"""train_torch.py STEPS THREADS BATCH: the PyTorch program of bench_train.

For each line on stdin, runs STEPS training steps of InceptionTime (32 filters, depth 6, 45 channels x 125, 19 classes,
Adam). Prints the seconds of each step and the peak memory in kilobytes on one line.
"""
import resource
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(77)


class Module(nn.Module):
    def __init__(self, channels, filters=32):
        super().__init__()
        self.bottleneck = nn.Conv1d(channels, filters, 1, bias=False)
        self.convs = nn.ModuleList(nn.Conv1d(filters, filters, k, padding=k // 2, bias=False) for k in (39, 19, 9))
        self.pooled = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(channels, filters, 1, bias=False))
        self.norm = nn.BatchNorm1d(4 * filters)

    def forward(self, x):
        narrow = self.bottleneck(x)
        return torch.relu(self.norm(torch.cat([c(narrow) for c in self.convs] + [self.pooled(x)], 1)))


class InceptionTime(nn.Module):
    def __init__(self):
        super().__init__()
        self.modules_ = nn.ModuleList(Module(45 if i == 0 else 128) for i in range(6))
        self.shortcuts = nn.ModuleList(
            nn.Sequential(nn.Conv1d(45 if i == 0 else 128, 128, 1, bias=False), nn.BatchNorm1d(128)) for i in range(2))
        self.fc = nn.Linear(128, 19)

    def forward(self, x):
        start = x
        for i, module in enumerate(self.modules_):
            x = module(x)
            if i % 3 == 2:
                start = x = torch.relu(x + self.shortcuts[i // 3](start))
        return self.fc(x.mean(-1))


def main():
    steps, threads, batch = map(int, sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net = InceptionTime()
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
    loss = nn.CrossEntropyLoss()
    x, y = torch.randn(batch, 45, 125), torch.randint(0, 19, (batch,))
    for _ in sys.stdin:
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            seconds.append(time.perf_counter() - start)
        print(*("%.6f" % s for s in seconds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


if __name__ == "__main__":
    main()
