"""The losses of rehearsal by PyTorch: reads one problem from stdin, prints the value and the gradient of each loss.

stdin:  n classes, then logits [n][classes], labels [n], weights [n], allowed [classes], remembered [n][classes].
stdout: a line for each loss: its value, then its gradient with respect to the logits [n][classes]. The losses are
        cross-entropy, weighted cross-entropy, weighted cross-entropy among the allowed classes (ER-ACE's mask), and
        the mean squared distance to the remembered logits (DER).
Exit status 77: PyTorch is missing.
"""
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit(77)

numbers = iter(sys.stdin.read().split())
n, k = int(next(numbers)), int(next(numbers))


def take(*shape):
    count = 1
    for size in shape:
        count *= size
    return torch.tensor([float(next(numbers)) for _ in range(count)], dtype=torch.float64).reshape(shape)


x, labels, weights, allowed, remembered = take(n, k), take(n).long(), take(n), take(k).bool(), take(n, k)
losses = [
    lambda y: F.cross_entropy(y, labels),
    lambda y: (weights * F.cross_entropy(y, labels, reduction="none")).mean(),
    lambda y: F.cross_entropy(y.masked_fill(~allowed, float("-inf")), labels),
    lambda y: F.mse_loss(y, remembered),
]
for loss in losses:
    y = x.clone().requires_grad_()
    value = loss(y)
    value.backward()
    print(value.item(), *y.grad.flatten().tolist())
