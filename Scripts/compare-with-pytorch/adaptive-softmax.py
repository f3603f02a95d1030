"""Prints what PyTorch's AdaptiveLogSoftmaxWithLoss gives for weights made by a formula.

The figures stand in Tests/LearningTests/AdaptiveSoftmaxTests.swift.
"""

import torch

ROWS, SIZE, WORDS, CUTOFFS = 7, 16, 23, [4, 11]
TARGETS = [0, 3, 4, 10, 11, 22, 5]


def formula(number, *shape):
    """x_k = sin(0.7·k + number) / 2, row-major."""
    count = torch.Size(shape).numel()
    k = torch.arange(count, dtype=torch.float64)
    return (torch.sin(0.7 * k + number) / 2).to(torch.float32).reshape(shape)


def figures(gradient):
    """Its norm, and its product with cos(k), which no permutation of it has."""
    g = gradient.double().flatten()
    k = torch.arange(len(g), dtype=torch.float64)
    return f"({g.norm():.7g}, {(g * torch.cos(k)).sum():.7g})"


module = torch.nn.AdaptiveLogSoftmaxWithLoss(SIZE, WORDS, CUTOFFS)
with torch.no_grad():
    for number, parameter in enumerate(module.parameters()):
        parameter.copy_(formula(number + 1, *parameter.shape))
hidden = formula(0, ROWS, SIZE).requires_grad_()
result = module(hidden, torch.tensor(TARGETS))
result.loss.backward()
print("torch", torch.__version__)
print("loss", f"{result.loss.item():.7g}")
print("log-probabilities of the targets", [round(x, 6) for x in result.output.tolist()])
print("log-probabilities of the words, row 2", [round(x, 5) for x in module.log_prob(hidden)[2].tolist()])
print("hidden", figures(hidden.grad))
for name, parameter in module.named_parameters():
    print(name, list(parameter.shape), figures(parameter.grad))
