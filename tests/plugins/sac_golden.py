"""Prints sac_golden.h: two updates of soft actor-critic in float64, with gradients by central
differences, and so without a line of the derivations that the plugin rests on.

    python3 sac_golden.py > sac_golden.h

Weights, transitions and noise follow from formulas that sac_test.c has as well: `value`.  Equations
of Haarnoja et al. 2019 (arXiv 1812.05905) and, for discrete actions, Christodoulou 2019 (arXiv
1910.07207): soft value, critics' loss, actor's loss, temperature's loss, Polyak averaging."""
import math
import textwrap

N, O, D, HIDDEN, GAMMA, TAU, LR, CRITIC_LR = 5, 3, 2, (5, 4), 0.9, 0.1, 3e-3, 5e-3
STEP = 1e-6


def value(stream, index):
    return 0.6 * math.sin(1.7 * index + 0.9 * stream + 0.3)


class Net:
    """A ReLU network whose tensors lie one after another in `w`: weight [in, out], bias [out]."""

    def __init__(self, widths, stream):
        self.widths = widths
        size = sum(a * b + b for a, b in zip(widths, widths[1:]))
        self.w = [value(stream, i) for i in range(size)]
        self.m, self.v, self.t = [0.0] * size, [0.0] * size, 0

    def __call__(self, x):
        at = 0
        for layer, (a, b) in enumerate(zip(self.widths, self.widths[1:])):
            bias = self.w[at + a * b:at + a * b + b]
            x = [bias[j] + sum(x[i] * self.w[at + i * b + j] for i in range(a)) for j in range(b)]
            if layer + 2 < len(self.widths):
                x = [max(v, 0.0) for v in x]
            at += a * b + b
        return x


def differences(weights, loss):
    """The gradient of loss() by the numbers in `weights`."""
    gradient = []
    for i, was in enumerate(weights):
        weights[i] = was + STEP
        above = loss()
        weights[i] = was - STEP
        gradient.append((above - loss()) / (2 * STEP))
        weights[i] = was
    return gradient


def adam(net, gradient, lr):
    net.t += 1
    for i, g in enumerate(gradient):
        net.m[i] = 0.9 * net.m[i] + 0.1 * g
        net.v[i] = 0.999 * net.v[i] + 0.001 * g * g
        m, v = net.m[i] / (1 - 0.9**net.t), net.v[i] / (1 - 0.999**net.t)
        net.w[i] -= lr * m / (math.sqrt(v) + 1e-8)


class Agent:
    def __init__(self, discrete):
        self.discrete, self.A = discrete, 3 if discrete else 2
        x = O + D
        self.actor = Net((x, *HIDDEN, self.A if discrete else 2 * self.A), 1)
        critic = (x, *HIDDEN, self.A) if discrete else (x + self.A, *HIDDEN, 1)
        self.critic = [Net(critic, 2), Net(critic, 3)]
        self.target = [Net(critic, 4), Net(critic, 5)]
        self.alpha = Net((1, 1), 0)
        self.alpha.w = [math.log(0.4)]
        self.alpha.m, self.alpha.v = [0.0], [0.0]
        self.target_entropy = 0.98 * math.log(self.A) if discrete else -1.0 * self.A

    def batch(self, k):
        def rows(stream, width):
            return [[2 * value(stream + 20 * k, i * width + j) for j in range(width)] for i in range(N)]
        b = {"obs": rows(6, O), "next_obs": rows(7, O), "belief": rows(8, D), "next_belief": rows(9, D),
             "noise": rows(11, self.A), "next_noise": rows(12, self.A)}
        b["reward"] = [3 * value(13 + 20 * k, i) for i in range(N)]
        b["discount"] = [0.0 if i == 1 else GAMMA for i in range(N)]
        if self.discrete:
            b["action"] = [[float(j == i % self.A) for j in range(self.A)] for i in range(N)]
        else:
            b["action"] = [[math.tanh(a) for a in row] for row in rows(10, self.A)]
        return b

    def policy(self, x, noise):
        """Actions and log-densities, or probabilities."""
        y = self.actor(x)
        if self.discrete:
            top = max(y)
            p = [math.exp(v - top) for v in y]
            return [v / sum(p) for v in p]
        action, logp = [], 0.0
        for j in range(self.A):
            std = math.exp(min(max(y[self.A + j], -20.0), 2.0))
            u = y[j] + std * noise[j]
            action.append(math.tanh(u))
            logp += -0.5 * noise[j]**2 - math.log(std) - 0.5 * math.log(2 * math.pi)
            logp -= math.log(1 - math.tanh(u)**2)
        return action, logp

    def soft(self, critics, x, noise):
        """Expected (least value - alpha log pi) and entropy, of a draw or exactly."""
        alpha = math.exp(self.alpha.w[0])
        if self.discrete:
            p, q = self.policy(x, noise), [c(x) for c in critics]
            entropy = -sum(v * math.log(v) for v in p)
            return sum(v * min(a, b) for v, a, b in zip(p, *q)) + alpha * entropy, entropy
        action, logp = self.policy(x, noise)
        return min(c(x + action)[0] for c in critics) - alpha * logp, -logp

    def targets(self, b):
        return [b["reward"][i] + b["discount"][i] * self.soft(
            self.target, b["next_obs"][i] + b["next_belief"][i], b["next_noise"][i])[0] for i in range(N)]

    def critic_loss(self, b, y):
        loss = 0.0
        for i in range(N):
            x, a = b["obs"][i] + b["belief"][i], b["action"][i]
            for c in self.critic:
                q = sum(v * w for v, w in zip(c(x), a)) if self.discrete else c(x + a)[0]
                loss += 0.5 * (q - y[i])**2 / N
        return loss

    def actor_loss(self, b):
        return sum(-self.soft(self.critic, b["obs"][i] + b["belief"][i], b["noise"][i])[0] for i in range(N)) / N

    def entropy(self, b):
        return sum(self.soft(self.critic, b["obs"][i] + b["belief"][i], b["noise"][i])[1] for i in range(N)) / N

    def update(self, k, out):
        b = self.batch(k)
        y = self.targets(b)
        out("critic_loss", [self.critic_loss(b, y)])
        gradients = [differences(c.w, lambda: self.critic_loss(b, y)) for c in self.critic]
        out("critic_gradient", gradients[0] + gradients[1])
        out("belief_gradient", sum((differences(b["belief"][i], lambda: self.critic_loss(b, y)) for i in range(N)), []))
        for c, g in zip(self.critic, gradients):
            adam(c, g, CRITIC_LR)
        entropy, alpha = self.entropy(b), self.alpha.w
        out("actor_loss", [self.actor_loss(b), entropy])
        actor = differences(self.actor.w, lambda: self.actor_loss(b))
        out("actor_gradient", actor)
        temperature = differences(alpha, lambda: math.exp(alpha[0]) * (entropy - self.target_entropy))
        out("temperature_gradient", temperature)
        adam(self.actor, actor, LR)
        adam(self.alpha, temperature, LR)
        for c, t in zip(self.critic, self.target):
            t.w = [(1 - TAU) * old + TAU * new for old, new in zip(t.w, c.w)]


def main():
    print("/* sac_golden.h - made by sac_golden.py. */\n#ifndef SAC_GOLDEN_H\n#define SAC_GOLDEN_H\n/* clang-format off */")
    for discrete in (False, True):
        agent, name = Agent(discrete), "discrete" if discrete else "continuous"

        def out(what, numbers):
            text = "static const double %s_%s[] = {%s};" % (name, what, ", ".join("%.9g" % v for v in numbers))
            print(textwrap.fill(text, 100, subsequent_indent="    "))
        for k in range(2):
            agent.update(k, lambda what, numbers: out("%s_%d" % (what, k), numbers))
        out("actor", agent.actor.w)
        out("critics", agent.critic[0].w + agent.critic[1].w)
        out("targets", agent.target[0].w + agent.target[1].w)
        out("log_alpha", agent.alpha.w)
    print("#endif")


main()
