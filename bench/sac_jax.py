"""Updates of soft actor-critic in JAX, for bench_sac: the networks, losses and optimisers of
plugins/policies/sac at the half-cheetah's sizes, one compiled function an update, written for speed.

The first answer is JAX's version.  Each further one, to "UPDATES", is seconds of processor time that an
update took, on one thread: drawing a minibatch of 256 from a replay of 50,000 steps, the twin critics,
actor, temperature, three Adams and the target networks.  Buffers are donated."""
import os
import sys
import time

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"
try:
    import jax
    import jax.numpy as jnp
except ImportError:
    sys.exit(1)

jax.config.update("jax_cpu_enable_async_dispatch", False)
OBS, ACTIONS, HIDDEN, BATCH, STEPS = 17, 6, 256, 256, 50000
GAMMA, TAU, RATE, TARGET_ENTROPY = 0.99, 0.005, 3e-4, -ACTIONS
LOG_STD = -20.0, 2.0
LOG_2PI = 1.8378770664093453


def network(key, *widths):
    layers = []
    for k, n, m in zip(jax.random.split(key, len(widths) - 1), widths, widths[1:]):
        layers.append({"w": jax.random.uniform(k, (n, m), minval=-1, maxval=1) / n**0.5, "b": jnp.zeros(m)})
    return layers


def forward(layers, x):
    for layer in layers[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ layers[-1]["w"] + layers[-1]["b"]


def values(critics, obs, action):
    x = jnp.concatenate([obs, action], -1)
    return [forward(c, x)[:, 0] for c in critics]


def policy(actor, obs, noise):
    """An action tanh(u), and its log-density."""
    mean, logstd = jnp.split(forward(actor, obs), 2, -1)
    logstd = jnp.clip(logstd, *LOG_STD)
    u = mean + jnp.exp(logstd) * noise
    slope = 2 * (jnp.log(2.0) - u - jax.nn.softplus(-2 * u))
    return jnp.tanh(u), -(noise * noise / 2 + logstd + LOG_2PI / 2 + slope).sum(-1)


def adam(p, grad, state):
    count, m, v = state
    count = count + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grad)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grad)
    a, b = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
    return jax.tree.map(lambda p, m, v: p - RATE * a * m / (jnp.sqrt(b * v) + 1e-8), p, m, v), (count, m, v)


def update(state, replay, key):
    k, l, n = jax.random.split(key, 3)
    noise = jax.random.normal(n, (2, BATCH, ACTIONS))
    b = replay[jax.random.randint(k, (BATCH,), 0, STEPS)]
    obs, action, reward, following = jnp.split(b, [OBS, OBS + ACTIONS, OBS + ACTIONS + 1], -1)
    alpha = jnp.exp(state["log_alpha"])
    next_action, next_logp = policy(state["actor"], following, noise[0])
    next_value = jnp.minimum(*values(state["target"], following, next_action)) - alpha * next_logp
    target = reward[:, 0] + GAMMA * next_value

    def critic_loss(critics):
        return sum(0.5 * jnp.square(q - target).mean() for q in values(critics, obs, action))

    critics, critic_adam = adam(state["critics"], jax.grad(critic_loss)(state["critics"]), state["critic_adam"])

    def actor_loss(actor):
        action, logp = policy(actor, obs, noise[1])
        return (alpha * logp - jnp.minimum(*values(critics, obs, action))).mean(), logp.mean()

    (_, logp), grad = jax.value_and_grad(actor_loss, has_aux=True)(state["actor"])
    actor, actor_adam = adam(state["actor"], grad, state["actor_adam"])
    slope = -alpha * (logp + TARGET_ENTROPY)
    log_alpha, alpha_adam = adam(state["log_alpha"], slope, state["alpha_adam"])
    target = jax.tree.map(lambda t, c: t + TAU * (c - t), state["target"], critics)
    return {
        "actor": actor, "critics": critics, "target": target, "log_alpha": log_alpha,
        "actor_adam": actor_adam, "critic_adam": critic_adam, "alpha_adam": alpha_adam,
    }, l


def start(key):
    k = jax.random.split(key, 5)
    critics = [network(x, OBS + ACTIONS, HIDDEN, HIDDEN, 1) for x in k[:2]]
    actor = network(k[2], OBS, HIDDEN, HIDDEN, 2 * ACTIONS)
    p = {"actor": actor, "critics": critics, "log_alpha": jnp.zeros(())}
    state = {name + "_adam": (jnp.zeros(()), *(jax.tree.map(jnp.zeros_like, x) for _ in range(2)))
             for name, x in (("actor", p["actor"]), ("critic", critics), ("alpha", p["log_alpha"]))}
    # an element of the replay is observation, action, reward, next observation side by side: one copy each
    replay = jax.random.normal(k[3], (STEPS, 2 * OBS + ACTIONS + 1))
    replay = replay.at[:, OBS:OBS + ACTIONS].set(jnp.tanh(replay[:, OBS:OBS + ACTIONS]))
    return p | state | {"target": jax.tree.map(jnp.copy, critics)}, replay, k[4]


def main():
    print(f"jax-{jax.__version__}", flush=True)
    state, replay, key = start(jax.random.key(0))
    step = jax.jit(update, donate_argnums=(0, 2))
    state, key = step(state, replay, key)
    for line in sys.stdin:
        begin = time.process_time()
        for _ in range(int(line)):
            state, key = step(state, replay, key)
        jax.block_until_ready(state)
        print((time.process_time() - begin) / int(line), flush=True)
    if not all(jnp.isfinite(x).all() for x in jax.tree.leaves(state)):
        sys.exit("sac_jax.py: a weight is not finite")


main()
