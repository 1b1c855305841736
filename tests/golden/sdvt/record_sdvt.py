"""Computes what tests/plugins/sdvt_test.c holds SDVT to, from its equations, in float64.

    pip install numpy
    python3 record_sdvt.py > ../sdvt_golden.json

Nothing is taken from the plugin: weights and experience are made of sines, and noise of the
generator in hunch/rng.h, written again here, in the order that the headers of
plugins/inference/varibad state.  Gradients are central differences of the loss by every weight.
Equations: Lee, Cho & Sung 2023; Zintgraf et al. 2020; the GRU in PyTorch's convention.
"""

import json
import math

import numpy as np

OBS, ACT, LATENT, HIDDEN, K = 2, 3, 3, 7, 4
OBS_EMBED, ACT_EMBED, REWARD_EMBED = 4, 3, 2
TERMS, PICKS = 5, 4
DROPOUT, TEMPERATURE = 0.5, 0.8
WEIGHT = {"reward": 2, "state": 3, "gauss": 0.7, "cat": 0.9, "occ": 1.1, "ext": 3}
STATE = OBS + 1


class Rng:
    """Philox4x32-10, stream `stream` of `seed`."""

    def __init__(self, seed, stream):
        self.key = (seed & 0xFFFFFFFF, seed >> 32)
        self.block, self.stream, self.words = 0, (stream & 0xFFFFFFFF, stream >> 32), []

    def u32(self):
        if not self.words:
            c = [self.block, 0, *self.stream]
            k0, k1 = self.key
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
                k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
            self.words, self.block = c, self.block + 1
        return self.words.pop(0)

    def u64(self):
        high = self.u32()
        return high << 32 | self.u32()

    def uniform(self):
        return (self.u64() >> 11) * 2.0**-53

    def below(self, n):
        return int(self.uniform() * n)

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def gumbel(self, n):
        return np.array([-math.log(-math.log(self.uniform() + 1e-20) + 1e-20) for _ in range(n)])

    def normals(self, n):
        return np.array([self.normal() for _ in range(n)])

    def gamma_log(self, a):
        if a < 1:
            g = self.gamma_log(a + 1)
            return g + math.log(1 - self.uniform()) / a
        d = a - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            u = 1 - self.uniform()
            if 1 + c * x > 0:
                v = (1 + c * x) ** 3
                if math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
                    return math.log(d) + math.log(v)

    def dirichlet(self, alpha):
        g = np.array([self.gamma_log(a) for a in alpha])
        return softmax(g)

    def mask(self, n):
        least, out = round(DROPOUT * 65536), []
        for i in range(0, n, 2):
            word = self.u32()
            for half in (word & 0xFFFF, word >> 16)[: n - i]:
                out.append(0 if half < least else 1 / (1 - DROPOUT))
        return np.array(out)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


# ---- weights ----


def shapes():
    s = {}

    def net(name, *width):
        for i in range(len(width) - 1):
            s[f"{name}.{i}.weight"], s[f"{name}.{i}.bias"] = (width[i], width[i + 1]), (1, width[i + 1])

    net("encoder.state", STATE, OBS_EMBED)
    net("encoder.action", ACT, ACT_EMBED)
    net("encoder.reward", 1, REWARD_EMBED)
    s["encoder.gru.weight_ih"] = (OBS_EMBED + ACT_EMBED + REWARD_EMBED, 3 * HIDDEN)
    s["encoder.gru.weight_hh"] = (HIDDEN, 3 * HIDDEN)
    s["encoder.gru.bias_ih"] = s["encoder.gru.bias_hh"] = (1, 3 * HIDDEN)
    net("encoder.subtask", HIDDEN, 6, 5, K)
    net("encoder.latent", HIDDEN + K, 6, 5, 2 * LATENT)
    for name in ("reward", "state"):
        net(f"decoder.{name}.state", STATE, OBS_EMBED)
        net(f"decoder.{name}.action", ACT, ACT_EMBED)
    net("decoder.reward.net", HIDDEN + 2 * OBS_EMBED + ACT_EMBED, 6, 5, 1)
    net("decoder.state.net", LATENT + OBS_EMBED + ACT_EMBED, 5, OBS)
    net("decoder.prior", K, 2 * LATENT)
    net("decoder.disperse", LATENT, 5, 4, HIDDEN)
    return s


def weights():
    w = {}
    for name, (rows, cols) in shapes().items():
        i = np.arange(rows * cols)
        w[name] = (0.5 * np.sin(0.7 * i + sum(name.encode()))).astype(np.float32).astype(float)
        w[name] = w[name].reshape(rows, cols)
    return w


def linear(w, name, x):
    return x @ w[name + ".weight"] + w[name + ".bias"][0]


def mlp(w, name, layers, x):
    for i in range(layers):
        x = linear(w, f"{name}.{i}", x)
        if i + 1 < layers:
            x = relu(x)
    return x


# ---- experience ----

STEPS, BEGIN = 8, [[2, 0, 0, 0, 1, 0, 0, 0, 2], [2, 0, 0, 1, 0, 0, 2, 0, 0]]
LENGTH = [8, 6]  # of the first trial of each row


def f32(x):
    return np.asarray(x, np.float32).astype(float)


def next_obs(t, i):
    return f32([math.sin(0.9 * (t + 1) + 1.7 * j + 2.3 * i) for j in range(OBS)])


def obs(t, i):
    return f32([0.1 * (j + 1) for j in range(OBS)]) if BEGIN[i][t] else next_obs(t - 1, i)


def action(t, i):
    return f32([math.sin(1.1 * t + 0.6 * j + 0.4 * i) for j in range(ACT)])


def reward(t, i):
    return f32(1 + math.sin(0.5 * t + i))


def state_after(t, i, ended):
    return np.append(next_obs(t, i), float(ended))


# ---- the encoder ----


def gru(w, h, s, a, r):
    x = np.concatenate([relu(linear(w, "encoder.action.0", a)), relu(linear(w, "encoder.state.0", s)),
                        relu(linear(w, "encoder.reward.0", np.array([r])))])
    p = x @ w["encoder.gru.weight_ih"] + w["encoder.gru.bias_ih"][0]
    q = h @ w["encoder.gru.weight_hh"] + w["encoder.gru.bias_hh"][0]
    g = [slice(k * HIDDEN, (k + 1) * HIDDEN) for k in range(3)]
    r_, z = sigmoid(p[g[0]] + q[g[0]]), sigmoid(p[g[1]] + q[g[1]])
    return (1 - z) * np.tanh(p[g[2]] + r_ * q[g[2]]) + z * h


def logits_of(w, h):
    return mlp(w, "encoder.subtask", 3, h)


def latent_of(w, h, y):
    x = mlp(w, "encoder.latent", 3, np.concatenate([h, y], -1))
    return x[..., :LATENT], softplus(x[..., LATENT:])


def subtask_of(logits, gumbel):
    return softmax((logits + gumbel) / TEMPERATURE)


# ---- the loss ----


def draws(seed, latent=True):
    """What every trial draws: times, steps, noise, masks; in that order.  latent: z is drawn."""
    out = []
    for j, length in enumerate(LENGTH):
        rng = Rng(seed, j)
        d = {"time": [rng.below(length + 1) for _ in range(TERMS)]}
        d["pick"] = [[rng.below(length) for _ in range(PICKS)] for _ in range(TERMS)]
        noise = [(rng.gumbel(K), rng.normals(LATENT) if latent else np.zeros(LATENT)) for _ in range(TERMS)]
        d["gumbel"], d["normal"] = f32([n[0] for n in noise]), f32([n[1] for n in noise])
        wide = {"reward": 2 * OBS_EMBED + ACT_EMBED, "state": OBS_EMBED + ACT_EMBED}
        for name, n in wide.items():
            d[name] = np.array([[rng.mask(n) for _ in range(PICKS)] for _ in range(TERMS)])
        out.append(d)
    return out


def log_normal(x, mean, variance):
    v = variance + 1e-8
    return -0.5 * (np.log(2 * np.pi) + np.log(v) + (x - mean) ** 2 / v).sum(-1)


def trial_parts(w, j, d, target=None):
    """Parts of the loss of trial j; target: hidden states that the dispersion is held to."""
    length, n = LENGTH[j], d["time"]
    before = np.array([np.append(obs(t, j), 0.0) for t in range(length)])
    after = np.array([state_after(t, j, BEGIN[j][t + 1] != 0) for t in range(length)])
    act = np.array([action(t, j) for t in range(length)])
    rew = np.array([reward(t, j) for t in range(length)])
    h = [np.zeros(HIDDEN)]
    for t in range(length):
        h.append(gru(w, h[-1], after[t], act[t], rew[t]))
    h = np.array([h[t] for t in n])
    logits = logits_of(w, h)
    y = subtask_of(logits, d["gumbel"])
    mean, variance = latent_of(w, h, y)
    z = mean + np.sqrt(variance + 1e-10) * d["normal"]
    p = linear(w, "decoder.prior.0", y)
    code = mlp(w, "decoder.disperse", 3, z)
    pi = softmax(logits)
    parts = {
        "gauss": np.mean(log_normal(z, mean, variance) - log_normal(z, p[:, :LATENT], softplus(p[:, LATENT:]))),
        "cat": np.mean(np.log(K) + (pi * np.log(pi)).sum(-1)),
        "occ": np.mean((np.log(K) * np.exp(np.arange(1, K + 1) - K) * y).sum(-1)),
        "ext": np.mean(((h if target is None else target) - code) ** 2),
    }

    def embed(name, x, kind):
        return relu(linear(w, f"decoder.{name}.{kind}.0", x))

    pick = np.array(d["pick"])
    e = np.concatenate([embed("reward", after[pick], "state"), embed("reward", act[pick], "action"),
                        embed("reward", before[pick], "state")], -1) * d["reward"]
    x = np.concatenate([np.repeat(code[:, None], PICKS, 1), e], -1)
    parts["reward"] = np.mean((mlp(w, "decoder.reward.net", 3, x)[..., 0] - rew[pick]) ** 2)
    e = np.concatenate([embed("state", act[pick], "action"), embed("state", before[pick], "state")], -1) * d["state"]
    x = np.concatenate([np.repeat(z[:, None], PICKS, 1), e], -1)
    parts["state"] = np.mean((mlp(w, "decoder.state.net", 2, x) - after[pick][..., :OBS]) ** 2)
    return parts, h


def total(w, d, targets):
    sums = [trial_parts(w, j, d[j], targets[j])[0] for j in range(2)]
    return sum(WEIGHT[k] * (sums[0][k] + sums[1][k]) / 2 for k in WEIGHT)


def gradient(w, d, targets):
    out, step = {}, 1e-5
    for name, x in w.items():
        g = np.zeros(x.size)
        flat = x.reshape(-1)
        for i in range(x.size):
            was = flat[i]
            flat[i] = was + step
            high = total(w, d, targets)
            flat[i] = was - step
            g[i] = (high - total(w, d, targets)) / (2 * step)
            flat[i] = was
        out[name] = g.tolist()
    return out


# ---- beliefs and virtual rewards ----

TIME = 3  # of the first virtual step


def beliefs(w):
    """[S = 0 and 2][time][row][draw][numbers] of the whole window, and the rows at TIME."""
    out, rows = {"0": [], "2": []}, []
    for S in (0, 2):
        at_rows = []
        for i in range(2):
            rng, series = Rng(21, i), []
            for t in range(STEPS + 1):
                if BEGIN[i][t] == 2:
                    seed, h, time = rng.u64(), np.zeros(HIDDEN), 0
                else:
                    h = gru(w, h, state_after(t - 1, i, BEGIN[i][t] == 1), action(t - 1, i), reward(t - 1, i))
                    time += 1
                series.append(belief(w, h, Rng(seed, time), S))
                if t == TIME:
                    at_rows.append((seed, h))
            out[str(S)].append(np.array(series))
        out[str(S)] = np.array(out[str(S)]).transpose(1, 0, 2, 3).tolist()
        rows = at_rows
    return out, rows


def belief(w, h, rng, S):
    logits = logits_of(w, h)
    mean, variance = latent_of(w, h, subtask_of(logits, rng.gumbel(K)))
    views = []
    for _ in range(max(S, 1)):
        z = mean + np.sqrt(variance + 1e-10) * rng.normals(LATENT) if S else mean
        views.append(np.concatenate([z, np.log(variance + 1e-20), softmax(logits)]))
    return np.array(views)


USAGE = [0.1, 0.2, 0.3, 0.4]


def virtual(w, rows, first_own):
    """Rewards of the steps TIME and TIME + 1 of each row; the second after a belief on the first."""
    out, y_of = [], []
    for i in range(2):
        rng, (seed, h) = Rng(33, i), rows[i]
        y = rng.dirichlet(USAGE)
        y_of.append(y.tolist())
        series = []
        for t in (TIME, TIME + 1) if not first_own else (0,):
            if t == TIME + 1:
                ended = BEGIN[i][t] == 1
                h = gru(w, h, state_after(TIME, i, ended), action(TIME, i), f32(series[0]))
            if first_own:
                h = np.zeros(HIDDEN)
                noise = rng.normals(LATENT)
                y = subtask_of(logits_of(w, h), Rng(seed, 0).gumbel(K))
            else:
                noise = rng.normals(LATENT)
            mean, variance = latent_of(w, h, y)
            z = mean + np.sqrt(variance + 1e-10) * noise
            code = mlp(w, "decoder.disperse", 3, z)
            s = state_after(t, i, BEGIN[i][t + 1] != 0)
            x = np.concatenate([code, relu(linear(w, "decoder.reward.state.0", s)),
                                relu(linear(w, "decoder.reward.action.0", action(t, i))),
                                relu(linear(w, "decoder.reward.state.0", np.append(obs(t, i), 0.0)))])
            series.append(float(mlp(w, "decoder.reward.net", 3, x)[0]))
        out.append(series)
    return out, y_of


def main():
    w, d, fewer = weights(), draws(17), draws(17, False)
    parts = [trial_parts(w, j, d[j]) for j in range(2)]
    means = [trial_parts(w, j, fewer[j])[0] for j in range(2)]
    view, rows = beliefs(w)
    rewards, y = virtual(w, rows, False)
    first, _ = virtual(w, rows, True)
    print(text({
        "parts": {k: float((parts[0][0][k] + parts[1][0][k]) / 2) for k in WEIGHT},
        "parts_of_means": {k: float((means[0][k] + means[1][k]) / 2) for k in WEIGHT},
        "gradient": gradient(w, d, [p[1] for p in parts]),
        "belief": view, "virtual": rewards, "virtual_y": y, "virtual_first_own": first,
    }))


def text(tree):
    """JSON with nine digits a number."""
    def short(x):
        if isinstance(x, dict):
            return {k: short(v) for k, v in x.items()}
        return [short(v) for v in x] if isinstance(x, list) else float(f"{x:.9g}")
    return json.dumps(short(tree), separators=(",", ":")).replace('],"', '],\n"')


main()
