"""Training iterations of recurrent agents in JAX, for bench_recurrent: the same tasks, networks, losses
and optimiser as experiments/laplace_{regression,bandit,gridworld}.yaml, written for speed.

    recurrent_jax.py                                            answers lines from stdin, see below
    recurrent_jax.py TASK METHOD ROWS STEPS UPDATES [DEVICES]   trains; prints what it learns

TASK: regression, bandit or grid; METHOD: deterministic, vrnn_full or laplace.  The first answer is
JAX's version; each further one, to "TASK METHOD ROWS STEPS UPDATES", the seconds of wall clock that each
update took.  The first request for a cell compiles it, and keeps what is fastest there: one XLA device
with its thread pool, or one a core with its share of the rows each.

An update is one call of one compiled function: collecting, posteriors, losses, gradients, clipping,
AdamW.  Its buffers are donated; nothing is kept or reported.  It leaves out what no gradient needs:
the value of the Laplace posterior's divergence, the recurrent state after the last step, values while
acting."""
import math
import os
import sys
import time
from collections import namedtuple
from functools import partial

CORES = min(2, len(os.sched_getaffinity(0)))
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={CORES}"
os.environ["JAX_PLATFORMS"] = "cpu"
try:
    import jax
    import jax.numpy as jnp
    from jax import lax
    from jax.flatten_util import ravel_pytree
except ImportError:
    sys.exit(1)

cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "hunch", "jax"))

EMBED, HIDDEN, LATENT, LAYERS = 256, 128, 64, (256, 256, 64)
KL_WEIGHT, RATE, DECAY, NORM = 0.01, 1e-3, 1e-6, 1.0
CLIP, ENTROPY, LAMBDA, ACTING = 0.2, 0.1, 0.9, 10
LOGVAR = -10.0, 2.0
CHUNK = 256  # rows whose posteriors are computed together: more would leave the cache

# context: columns that policy and head read beside z; bound: of each element of the gradient
Task = namedtuple("Task", "obs actions context head samples gamma bound")
TASKS = {
    "regression": Task(obs=1, actions=0, context=0, head="signal", samples=1, gamma=0.0, bound=5.0),
    "bandit": Task(obs=1, actions=5, context=HIDDEN, head="reward", samples=5, gamma=0.0, bound=1.0),
    "grid": Task(obs=10, actions=4, context=EMBED, head=None, samples=0, gamma=0.9, bound=1.0),
}


def draw(key, kind, *shapes):
    """Random arrays from one call, which compiles several times as fast as one each."""
    sizes = [math.prod(x) for x in shapes]
    flat, at, out = kind(key, (sum(sizes),)), 0, []
    for size, shape in zip(sizes, shapes):
        out.append(flat[at:at + size].reshape(shape))
        at += size
    return out


# ---- networks ----


def dense(key, n, m):
    w = jax.random.truncated_normal(key, -2, 2, (n, m)) / (0.87962566 * n**0.5)
    return {"w": w, "b": jnp.zeros(m)}


def mlp(key, *widths):
    return [dense(k, n, m) for k, n, m in zip(jax.random.split(key, len(widths) - 1), widths, widths[1:])]


def norm(n):
    return {"gain": jnp.ones(n), "bias": jnp.zeros(n)}


def initial(task, method, key):
    k = jax.random.split(key, 9)
    cell = dense(k[2], 2 * EMBED, 4 * HIDDEN)
    square = jax.random.split(k[3], 4)
    cell["u"] = jnp.concatenate([jax.random.orthogonal(x, HIDDEN) for x in square], 1)
    p = {
        "obs": {"net": mlp(k[0], task.obs, EMBED, EMBED), "norm": norm(EMBED)},
        "act": {"net": mlp(k[1], 1, EMBED, EMBED), "norm": norm(EMBED)},
        "cell": cell,
        "mean": dense(k[4], HIDDEN, LATENT),
    }
    belief = LATENT + task.context
    if method == "vrnn_full":
        p["spread"] = dense(k[5], HIDDEN, LATENT * (LATENT + 1) // 2)
    if task.head:
        out = 1 if task.head == "signal" else 2
        p["head"] = {"net": mlp(k[6], belief + EMBED, *LAYERS, out), "norm": norm(belief + EMBED)}
        if task.head == "signal":
            p["sigma"] = jnp.zeros(2)
    if task.actions:
        p["actor"] = {"net": mlp(k[7], belief, *LAYERS, task.actions), "norm": norm(belief)}
        p["critic"] = {"net": mlp(k[8], belief, *LAYERS, 1), "norm": norm(belief)}
    return p


def leaky(x):
    return jnp.where(x > 0, x, 0.01 * x)


def layer_norm(p, x):
    x = x - x.mean(-1, keepdims=True)
    return x * lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-6) * p["gain"] + p["bias"]


def linear(p, x):
    return x @ p["w"] + p["b"]


def embed(p, x):
    for layer in p["net"]:
        x = leaky(linear(layer, x))
    return layer_norm(p["norm"], x)


def rest(layers, x):
    """Layers behind the first, given its output before the activation."""
    for layer in layers[1:]:
        x = linear(layer, leaky(x))
    return x


def trunk(p, x):
    return rest(p["net"], linear(p["net"][0], layer_norm(p["norm"], x)))


def trunk_of_draws(p, z, shared):
    """trunk([z; shared]) for z [S, N, F] and shared [N, C], whose part of the first product is the same
    for all draws: with gain g, bias e, mean m and deviation d of [z; shared],
    (([z; shared] g) W - m (g W)) / d + e W + b."""
    first, g = p["net"][0], p["norm"]["gain"]
    w, count = g[:, None] * first["w"], LATENT + shared.shape[-1]
    mean = (z.sum(-1) + shared.sum(-1)) / count
    square = (jnp.square(z).sum(-1) + jnp.square(shared).sum(-1)) / count
    inverse = lax.rsqrt(square - jnp.square(mean) + 1e-6)
    y = z @ w[:LATENT] + shared @ w[LATENT:] - mean[..., None] * w.sum(0)
    return rest(p["net"], y * inverse[..., None] + p["norm"]["bias"] @ first["w"] + first["b"])


# ---- the recurrent cell: gates i, f, g, o side by side ----


def gates(sums, c):
    i, f, g, o = jnp.split(sums, 4, -1)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    c = f * c + i * g
    return c, o * jnp.tanh(c), (i, f, g, o)


@jax.custom_vjp
def unroll(x, u):
    """States h and cells c [T, B, H] of inputs x [T, B, 4 H] to the gates, from zero."""
    return unroll_forward(x, u)[0]


def unroll_forward(x, u):
    def step(carry, x):
        c, h, (i, f, g, o) = gates(x + carry[0] @ u, carry[1])
        return (h, c), (h, c, jnp.concatenate([i, f, g, o], -1))

    zero = jnp.zeros(x.shape[1:-1] + (HIDDEN,))
    h, c, opened = lax.scan(step, (zero, zero), x)[1]
    return (h, c), (h, c, opened, u)


def unroll_backward(kept, grad):
    """The weights' gradient is one product over all steps, behind the recursion; cells are only read
    where no gradient passes."""
    h, c, opened, u = kept
    before = jnp.concatenate([jnp.zeros_like(c[:1]), c[:-1]])

    def step(carry, kept):
        dh, dc = carry
        out, c, before, opened = kept
        i, f, g, o = jnp.split(opened, 4, -1)
        y, dh = jnp.tanh(c), dh + out
        dc = dc + dh * o * (1 - y * y)
        parts = dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * y * o * (1 - o)
        dx = jnp.concatenate(parts, -1)
        return (dx @ u.T, dc * f), dx

    zero = jnp.zeros_like(h[0])
    dx = lax.scan(step, (zero, zero), (grad[0], c, before, opened), reverse=True)[1]
    return dx, jnp.einsum("tbh,tbg->hg", h[:-1], dx[1:])


unroll.defvjp(unroll_forward, unroll_backward)


# ---- the Laplace posterior: P_t = P_(t-1) + J J', J of one more step's mean in the state ----


def curvature(p, x, h, c):
    """J J' [N, F, F] at states h, cells c and inputs x to the gates, J = W' (sum over gates of D_k U_k').
    By products of the gates' weights, J J' = W' (sum over pairs of D_k U_k' U_l D_l) W, it would be
    fewer operations; inside a loop XLA is slower at those."""
    u, n = p["cell"]["u"], h.shape[0]
    after, _, (i, f, g, o) = gates(x + h @ u, c)
    y = jnp.tanh(after)
    a = o * (1 - y * y)
    d = jnp.concatenate([a * g * i * (1 - i), a * c * f * (1 - f), a * i * (1 - g * g), y * o * (1 - o)], -1)
    left = (jnp.tile(p["mean"]["w"].T, 4) * d[:, None]).reshape(-1, 4 * HIDDEN)
    jacobian = (left @ u.T).reshape(n, LATENT, HIDDEN)
    return jacobian @ jacobian.swapaxes(1, 2)


def laplace_draws(precision, noise):
    """z - mean for noise [N, F, S]: L'^-1 noise."""
    factor = lax.linalg.cholesky(precision + 1e-6 * jnp.eye(LATENT))
    return lax.linalg.triangular_solve(factor, noise, left_side=True, lower=True, transpose_a=True)


# ---- the full Gaussian posterior: covariance Q exp(l) Q', Q = I - 2 (I + S)^-1, S skew ----


def invert_small(a):
    """Gauss-Jordan without pivoting, of matrices in the first two axes."""
    n = a.shape[0]
    axis = jnp.arange(n)

    def eliminate(k, a):
        here, pivot = axis == k, 1 / a[k, k]
        row = jnp.where(here[:, None], pivot, a[k] * pivot)
        b = jnp.where(here[None, :, None], 0, a) - a[:, k][:, None] * row
        return jnp.where(here[:, None, None], row, b)

    return lax.fori_loop(0, n, eliminate, a)


def invert(a):
    """Of matrices whose symmetric part is positive definite, by blocks: five times as fast as LAPACK on
    one after the other."""
    n = a.shape[-1]
    if n <= 8:
        return invert_small(a.transpose(1, 2, 0)).transpose(2, 0, 1)
    k = n // 2
    x, left, below = invert(a[:, :k, :k]), a[:, :k, k:], a[:, k:, :k]
    y, z = below @ x, x @ left
    s = invert(a[:, k:, k:] - below @ z)
    u = s @ y
    return jnp.concatenate([jnp.concatenate([x + z @ u, -(z @ s)], 2), jnp.concatenate([-u, s], 2)], 1)


@jax.custom_vjp
def cayley(s):
    return jnp.eye(LATENT) - 2 * invert(jnp.eye(LATENT) + s)


def cayley_backward(q, grad):
    m = (jnp.eye(LATENT) - q).swapaxes(1, 2) / 2
    return (2 * m @ grad @ m,)


cayley.defvjp(lambda s: (cayley(s),) * 2, cayley_backward)


def spread_weights(p):
    """The read-out of angles as one of whole skew matrices: products are cheaper than scattering."""
    row, column = jnp.tril_indices(LATENT, -1)
    which = jnp.zeros((LATENT, LATENT), int).at[row, column].set(jnp.arange(row.size))
    which, sign = which + which.T, 0.5 * (jnp.tril(jnp.ones((LATENT, LATENT)), -1))
    sign = (sign - sign.T).ravel()
    w, b = p["spread"]["w"], p["spread"]["b"]
    return {
        "w": jnp.concatenate([w[:, :LATENT], w[:, LATENT:][:, which.ravel()] * sign], 1),
        "b": jnp.concatenate([b[:LATENT], b[LATENT:][which.ravel()] * sign]),
    }


def covariance(weights, h):
    """Log-eigenvalues [N, F] and rotation [N, F, F]."""
    y = linear(weights, h)
    return jnp.clip(y[:, :LATENT], *LOGVAR), cayley(y[:, LATENT:].reshape(-1, LATENT, LATENT))


def gaussian_draws(logvar, q, noise):
    """z - mean for noise [N, F, S]."""
    return q @ (jnp.exp(logvar / 2)[..., None] * noise)


def divergence(move, logvar, q, logvar0, q0):
    """KL of N(move, Q exp(l) Q') from N(0, Q0 exp(l0) Q0'), [N]."""
    overlap = q0.swapaxes(1, 2) @ q
    trace = jnp.einsum("nij,ni,nj->n", jnp.square(overlap), jnp.exp(-logvar0), jnp.exp(logvar))
    turned = jnp.einsum("nij,ni->nj", q0, move)
    maha = (jnp.square(turned) * jnp.exp(-logvar0)).sum(-1)
    return 0.5 * (trace + maha - LATENT + (logvar0 - logvar).sum(-1))


# ---- environments: their state, its observation, a step ----


def fourier(key, rows, steps):
    """Actions and observations [T, B, 1] of as many random functions."""
    a, shift, phase, x = draw(key, jax.random.uniform, (4, rows), (rows,), (3, rows), (steps, rows))
    a, x = (2 * a - 1) * (jnp.arange(1, 5) / 3)[:, None], 2 * x - 1
    y = a[0] / 2
    for j in range(1, 4):
        y += a[j] * jnp.cos(jnp.pi * (2 * j * (x - jnp.pi * shift) - phase[j - 1]) / 2)
    return x[..., None], y[..., None]


TRIES = 8  # of Marsaglia and Tsang's rejection, which accepts 19 of 20


def dirichlet(alpha, normal, uniform):
    """Over the last axis, from draws [TRIES, ..] and [TRIES + 1, ..]."""
    d = alpha + 2 / 3
    v = (1 + normal / (9 * d) ** 0.5) ** 3
    uniform, log_v = jnp.log(1 - uniform), jnp.log(jnp.maximum(v, 1e-30))
    good = (v > 0) & (uniform[:TRIES] < normal * normal / 2 + d - d * v + d * log_v)
    log_gamma = jnp.take_along_axis(log_v, good.argmax(0)[None], 0)[0] + uniform[TRIES] / alpha
    return jax.nn.softmax(log_gamma)


def bandit_start(rows, normal, uniform):
    return {"p": dirichlet(0.2, normal, uniform), "last": jnp.zeros(rows)}


def bandit_observe(state):
    return state["last"][:, None]


def pick(table, index):
    """table[.., index] by comparison, which unlike a gather is vectorised."""
    return jnp.where(index[..., None] == jnp.arange(table.shape[-1]), table, 0).sum(-1)


def bandit_step(state, action, uniform):
    reward = (uniform < pick(state["p"], action)).astype(jnp.float32)
    return {"p": state["p"], "last": reward}, reward, jnp.ones_like(reward)


def grid_start(rows, normal, uniform):
    zero = jnp.zeros(rows, jnp.int32)
    goal = 1 + jnp.minimum((24 * uniform[0, :, 0]).astype(jnp.int32), 23)
    return {"goal": goal, "row": zero, "column": zero, "age": zero}


def grid_observe(state):
    return jnp.concatenate([jax.nn.one_hot(state["row"], 5), jax.nn.one_hot(state["column"], 5)], -1)


def grid_step(state, action, uniform):
    row = jnp.clip(state["row"] - (action == 0) + (action == 1), 0, 4)
    column = jnp.clip(state["column"] - (action == 2) + (action == 3), 0, 4)
    reached, age = 5 * row + column == state["goal"], state["age"] + 1
    going = ~(reached | (age == 15))
    state = {"goal": state["goal"], "row": row * going, "column": column * going, "age": age * going}
    return state, reached.astype(jnp.float32), going.astype(jnp.float32)


ENVIRONMENTS = {
    "bandit": (bandit_start, bandit_observe, bandit_step),
    "grid": (grid_start, grid_observe, grid_step),
}

# ---- collecting ----


def act_on(p, method, z_mean, offset, context, uniform):
    """An action of the mixture of the draws' policies, and its log-density."""
    if method == "deterministic":
        logp = jax.nn.log_softmax(trunk(p["actor"], jnp.concatenate([z_mean, context], -1)))
    else:
        logits = trunk_of_draws(p["actor"], z_mean + offset.transpose(2, 0, 1), context)
        logp = jax.nn.logsumexp(jax.nn.log_softmax(logits), 0) - jnp.log(ACTING)
    below = jnp.cumsum(jnp.exp(logp), -1)[:, :-1]
    action = (uniform[:, None] >= below).sum(-1)
    return action, pick(logp, action)


def collect(p, name, method, noise, normal, uniform):
    """noise [T, B, F, S] of posteriors; normal and uniform: of tasks; of actions and rewards [2, T, B]."""
    start, observe, advance = ENVIRONMENTS[name]
    weights = spread_weights(p) if method == "vrnn_full" else None
    rows = uniform[1].shape[2]

    def step(carry, drawn):
        state, action, h, c, precision = carry
        noise, chance = drawn
        seen, offset = observe(state), None
        e = embed(p["obs"], seen)
        x = linear(p["cell"], jnp.concatenate([e, embed(p["act"], action.astype(jnp.float32)[:, None])], -1))
        c, h, _ = gates(x + h @ p["cell"]["u"], c)
        if method == "laplace":
            precision = precision + curvature(p, x, h, c)
            offset = laplace_draws(precision, noise)
        elif method == "vrnn_full":
            offset = gaussian_draws(*covariance(weights, h), noise)
        context = h if name == "bandit" else e
        chosen, logp = act_on(p, method, linear(p["mean"], h), offset, context, chance[0])
        state, reward, live = advance(state, chosen, chance[1])
        kept = {"obs": seen, "before": action, "action": chosen, "logp": logp, "reward": reward, "live": live}
        return (state, chosen, h, c, precision), kept

    zero = jnp.zeros((rows, HIDDEN))
    prior = jnp.broadcast_to(jnp.eye(LATENT), (rows, LATENT, LATENT)) if method == "laplace" else None
    carry = start(rows, normal, uniform[0]), jnp.zeros(rows, jnp.int32), zero, zero, prior
    return lax.scan(step, carry, (noise, uniform[1].swapaxes(0, 1)))[1]


# ---- posteriors of a window ----


def chunk_steps(rows, steps):
    """Steps whose rows are computed together: a divisor of all, for about CHUNK rows."""
    return max(k for k in range(1, steps + 1) if steps % k == 0 and (k == 1 or k * rows <= 2 * CHUNK))


def by_chunks(run, carry, inputs, rows, steps):
    """Scans run(carry, inputs [K, B, ..]) -> (carry, outputs [K, B, ..]) over T / K chunks."""
    k = chunk_steps(rows, steps)
    cut = jax.tree.map(lambda x: x.reshape(steps // k, k, *x.shape[1:]), inputs)
    _, out = lax.scan(run, carry, cut)
    return jax.tree.map(lambda x: x.reshape(steps, *x.shape[2:]), out)


def before(x, first):
    """x [T, B, ..] one step later, `first` at 0."""
    return jnp.concatenate([first[None], x[:-1]])


def laplace_window(p, move, x, h, c, noise):
    """P_(t-1) (mean_t - mean_(t-1)) [T, B, F], the divergence's gradient in the mean, and draws about
    the mean from the posterior that the head reads (None: no head).  No gradient passes."""
    steps, rows = h.shape[:2]

    def run(precision, inputs):
        move, x, h, c, noise = inputs
        k = h.shape[0]
        jj = curvature(p, *(y.reshape(k * rows, -1) for y in (x, h, c)))
        after = precision + jnp.cumsum(jj.reshape(k, rows, LATENT, LATENT), 0)
        slope = jnp.einsum("tbij,tbj->tbi", before(after, precision), move)
        if noise is None:
            return after[-1], (slope, None)
        draws = laplace_draws(after.reshape(-1, LATENT, LATENT), noise.reshape(k * rows, LATENT, -1))
        return after[-1], (slope, draws.reshape(noise.shape))

    prior = jnp.broadcast_to(jnp.eye(LATENT), (rows, LATENT, LATENT))
    return by_chunks(run, prior, (move, x, h, c, noise), rows, steps)


def gaussian_window(p, move, h, noise):
    """Divergences [T, B] from the posterior before, to which no gradient passes, and draws as above."""
    steps, rows = h.shape[:2]
    weights = spread_weights(p)

    def run(carry, inputs):
        move, h, noise = inputs
        k = h.shape[0]
        logvar, q = covariance(weights, h.reshape(k * rows, HIDDEN))
        now = logvar.reshape(k, rows, -1), q.reshape(k, rows, LATENT, LATENT)
        past = [lax.stop_gradient(before(x, first)) for x, first in zip(now, carry)]
        kl = divergence(move.reshape(-1, LATENT), logvar, q, *(x.reshape(k * rows, *x.shape[2:]) for x in past))
        draws = None
        if noise is not None:
            draws = gaussian_draws(logvar, q, noise.reshape(k * rows, LATENT, -1)).reshape(noise.shape)
        return tuple(lax.stop_gradient(x[-1]) for x in now), (kl.reshape(k, rows), draws)

    prior = jnp.zeros((rows, LATENT)), jnp.broadcast_to(jnp.eye(LATENT), (rows, LATENT, LATENT))
    return by_chunks(run, prior, (move, h, noise), rows, steps)


def posterior(p, method, mean, x, h, c, noise):
    """The divergence to be minimised, mean over all steps, and z [T, B, F, S] for the head."""
    move = mean - lax.stop_gradient(before(mean, jnp.zeros_like(mean[0])))
    draws, kl = None, 0.0
    if method == "laplace":
        fixed = lax.stop_gradient((p, move, x, h, c))
        slope, draws = laplace_window(*fixed, noise)
        kl = (lax.stop_gradient(slope) * move).sum(-1).mean()
    elif method == "vrnn_full":
        kl, draws = gaussian_window(p, move, h, noise)
        kl = kl.mean()
    return kl, mean[..., None] if draws is None else mean[..., None] + draws


# ---- losses ----


def run_network(p, obs, action):
    """Embedded observations and actions, inputs to the gates, states, cells, means, all [T, B, ..]."""
    e, a = embed(p["obs"], obs), embed(p["act"], action)
    x = linear(p["cell"], jnp.concatenate([e, a], -1))
    h, c = unroll(x, p["cell"]["u"])
    return e, a, x, h, c, linear(p["mean"], h)


def head(p, z, context, action):
    """What the head says of each draw of z [T, B, F, S], [S, T, B, ..]."""
    shared = action if context is None else jnp.concatenate([context, action], -1)
    z = z.transpose(3, 0, 1, 2)
    if z.shape[0] > 1:
        return trunk_of_draws(p["head"], z, shared)
    return trunk(p["head"], jnp.concatenate([z[0], shared], -1))[None]


def regression_loss(p, task, method, data, noise):
    """y_t is predicted before it is read, at first from N(0, I)."""
    x, y = data
    steps = y.shape[0]
    _, a, sums, h, c, mean = run_network(p, y[:-1], x[:-1])
    kl, z = posterior(p, method, mean, sums, h, c, None if noise is None else noise[1:])
    first = jnp.zeros_like(z[:1]) if noise is None else noise[:1]
    a = jnp.concatenate([a, embed(p["act"], x[-1:])])
    said = head(p, jnp.concatenate([first, z]), None, a).mean(0)
    sigma = jnp.clip(jax.nn.softplus(p["sigma"].sum()), 0.001, 5)
    nll = (jnp.square((y - said) / sigma) / 2 + jnp.log(sigma)).mean() + 0.5 * jnp.log(2 * jnp.pi)
    return nll + KL_WEIGHT * kl * (steps - 1) / steps, nll


def advantages(reward, live, value, gamma):
    following = jnp.concatenate([value[1:], jnp.zeros_like(value[:1])])
    live = gamma * live.at[-1].set(0)

    def step(later, x):
        error, live = x
        later = error + live * LAMBDA * later
        return later, later

    return lax.scan(step, jnp.zeros_like(value[0]), (reward + live * following - value, live), reverse=True)[1]


def policy_loss(p, task, d, belief):
    logits = jax.nn.log_softmax(trunk(p["actor"], belief))
    value = trunk(p["critic"], belief)[..., 0]
    gain = lax.stop_gradient(advantages(d["reward"], d["live"], value, task.gamma))
    logp = pick(logits, d["action"])
    ratio = jnp.exp(logp - d["logp"])
    won = jnp.minimum(ratio * gain, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * gain).mean()
    error = 0.5 * jnp.square(value - lax.stop_gradient(value + gain)).mean()
    entropy = -(jnp.exp(logits) * logits).sum(-1).mean()
    return error - won - ENTROPY * entropy


def control_loss(p, task, method, d, noise):
    e, a, x, h, c, mean = run_network(p, d["obs"], d["before"].astype(jnp.float32)[..., None])
    kl, z = posterior(p, method, mean, x, h, c, noise)
    context = h if task.head else e
    loss = policy_loss(p, task, d, jnp.concatenate([mean, context], -1)) + KL_WEIGHT * kl
    if task.head:
        done = embed(p["act"], d["action"].astype(jnp.float32)[..., None])
        logits = jax.nn.log_softmax(head(p, z, context, done))
        logp = jnp.where(d["reward"] > 0.5, logits[..., 1], logits[..., 0])
        loss -= (jax.nn.logsumexp(logp, 0) - jnp.log(logp.shape[0])).mean()
    return loss, d["reward"].sum(0).mean()


# ---- an update ----


def descend(w, state, grad, bound):
    """AdamW on flat weights by the gradient, clipped by element and then by norm."""
    count, m, v = state
    count, grad = count + 1, jnp.clip(grad, -bound, bound)
    grad *= jnp.minimum(1, NORM / (jnp.sqrt(grad @ grad) + 1e-12))
    m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad * grad
    a, b = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
    return w - RATE * (a * m / (jnp.sqrt(b * v) + 1e-8) + DECAY * w), (count, m, v)


def experience(p, name, method, rows, steps, key):
    """What the loss is of, and the noise of its posteriors' draws [T, B, F, S]."""
    task, (k, l) = TASKS[name], jax.random.split(key)
    samples = 0 if method == "deterministic" else task.samples
    shapes = [(steps, rows, LATENT, samples)]
    if not task.actions:
        return fourier(k, rows, steps), *(draw(l, jax.random.normal, *shapes) if samples else [None])
    acting = 0 if method == "deterministic" else ACTING
    shapes += [(steps, rows, LATENT, acting), (TRIES, rows, 5)]
    later, now, normal = draw(l, jax.random.normal, *shapes)
    uniform = draw(k, jax.random.uniform, (TRIES + 1, rows, 5), (2, steps, rows))
    return collect(p, name, method, now, normal, uniform), later if samples else None


def update(name, method, rows, steps, axis, shape, w, state, key):
    task, (key, k) = TASKS[name], jax.random.split(key)
    if axis:
        k = jax.random.fold_in(k, lax.axis_index(axis))
    p = shape(w)
    data, noise = experience(p, name, method, rows, steps, k)
    loss = control_loss if task.actions else regression_loss
    (_, shown), grad = jax.value_and_grad(loss, has_aux=True)(p, task, method, data, noise)
    grad = ravel_pytree(grad)[0]
    if axis:
        grad, shown = lax.pmean((grad, shown), axis)
    return *descend(w, state, grad, task.bound), key, shown


class Cell:
    """One task, method and size, on so many XLA devices that share its rows."""

    def __init__(self, name, method, rows, steps, devices):
        w, shape = ravel_pytree(initial(TASKS[name], method, jax.random.key(0)))
        f = partial(update, name, method, rows // devices, steps, "rows" if devices > 1 else None, shape)
        self.carry = w, (jnp.zeros(()), jnp.zeros_like(w), jnp.zeros_like(w)), jax.random.key(1)
        if devices > 1:
            mesh = jax.make_mesh((devices,), ("rows",))
            one = jax.sharding.PartitionSpec()
            f = jax.shard_map(f, mesh=mesh, in_specs=one, out_specs=one, check_vma=False)
            self.carry = jax.device_put(self.carry, jax.sharding.NamedSharding(mesh, one))
        self.step = jax.jit(f, donate_argnums=(0, 1, 2))

    def run(self):
        """Seconds of an update, and what it shows: the head's loss or the trials' mean return."""
        start = time.perf_counter()
        *self.carry, shown = self.step(*self.carry)
        jax.block_until_ready(self.carry)
        return time.perf_counter() - start, float(shown)


def fastest(*cell):
    """Factorisations run on the pool that devices share: with as many devices as threads, each holds one
    and waits for the other, for ever.  So the Laplace posterior has one device."""
    cells = []
    for devices in sorted({1} if cell[1] == "laplace" else {1, CORES}):
        c = Cell(*cell, devices)
        c.run()
        cells.append((min(c.run()[0] for _ in range(3)), devices, c))
    return min(cells, key=lambda x: x[:2])[2]


def serve():
    print(f"jax-{jax.__version__}", flush=True)
    current, cell = None, None
    for line in sys.stdin:
        *asked, count = line.split()
        if asked != current:
            cell = None
            current, cell = asked, fastest(asked[0], asked[1], int(asked[2]), int(asked[3]))
        seconds = [cell.run()[0] for _ in range(int(count))]
        print(*seconds, flush=True)


def learn(name, method, rows, steps, updates, devices=1):
    cell = Cell(name, method, int(rows), int(steps), int(devices))
    every = max(1, int(updates) // 20)
    total, best = [], 1e9
    for k in range(int(updates)):
        seconds, shown = cell.run()
        best, total = min(best, seconds), total + [shown]
        if (k + 1) % every == 0:
            print(f"{k + 1:6d} {sum(total) / len(total):9.4f}   {1e3 * best:9.2f} ms", flush=True)
            total = []


if __name__ == "__main__":
    if len(sys.argv) > 1:
        learn(*sys.argv[1:])
    else:
        serve()
