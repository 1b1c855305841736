"""The same training steps in PyTorch, for bench_kit: Debian's python3-torch, one thread.

Reads lines "WORKLOAD NUMBER .. : CALLS" and answers each with the seconds of processor time that one
call took.  The first answer is the version.
"""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
try:
    import torch
except ImportError:
    sys.exit(1)
from torch import nn


def backward_step(module, x, seed):
    """Forward and backward, gradients made anew."""

    def step():
        for p in module.parameters():
            p.grad = None
        y = module(x)
        (y[0] if isinstance(y, tuple) else y).backward(seed)

    return step


def network(widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def mlp(rows, *widths):
    return backward_step(network(widths), torch.randn(rows, widths[0]), torch.randn(rows, widths[-1]))


def recurrent(kind):
    def make(rows, steps, inputs, hidden):
        return backward_step(kind(inputs, hidden), torch.randn(steps, rows, inputs),
                             torch.randn(steps, rows, hidden))

    return make


def ppo(rows, inputs, hidden, actions):
    """One minibatch: clipped surrogate, squared value error, entropy, clipped norm, Adam."""
    actor, critic = network([inputs, hidden, hidden, actions]), network([inputs, hidden, hidden, 1])
    logstd = nn.Parameter(torch.zeros(actions))
    parameters = [*actor.parameters(), *critic.parameters(), logstd]
    adam = torch.optim.Adam(parameters, lr=3e-4, eps=1e-5)
    x, action = torch.randn(rows, inputs), torch.randn(rows, actions)
    advantage, goal, before = torch.randn(rows), torch.randn(rows), torch.randn(rows) - 1.4 * actions

    def step():
        normal = torch.distributions.Normal(actor(x), logstd.exp(), validate_args=False)
        ratio = (normal.log_prob(action).sum(1) - before).exp()
        gain = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        error = (critic(x).squeeze(1) - goal).square().mean()
        loss = 0.5 * error - gain - 0.01 * normal.entropy().sum(1).mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 0.5)
        adam.step()

    return step


MAKE = {"mlp": mlp, "gru": recurrent(nn.GRU), "lstm": recurrent(nn.LSTM), "ppo": ppo}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print(torch.__version__, flush=True)
    steps = {}
    for line in sys.stdin:
        name, calls = line.split(":")
        if name not in steps:
            kind, *numbers = name.split()
            steps[name] = MAKE[kind](*map(int, numbers))
        step = steps[name]
        start = time.process_time()
        for _ in range(int(calls)):
            step()
        print((time.process_time() - start) / int(calls), flush=True)


main()
