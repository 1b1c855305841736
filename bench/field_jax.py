"""Training iterations of the JAX package metaworld-algorithms (github.com/rainx0r/metaworld-algorithms), for
bench_field: its RL2 and its MAML-TRPO on ML10 with the batch and the network sizes of the arms `rl2` and
`maml_trpo` of experiments/field_ml10.yaml, by its own training loop and a process a task, as it has them.

$HUNCH_BENCH_METAWORLD_ALGORITHMS is the folder of a checkout of commit 1d55e6d: in later ones the linear
baseline of both methods takes the start of an episode for its end and stops.  The first answer is versions;
each further one, to one of

    rl2 ROWS STEPS HORIZON EPOCHS SEGMENT EMBED HIDDEN ITERATIONS
    maml_trpo ROWS STEPS HORIZON INNER_STEPS LAYERS WIDTH ITERATIONS

is seconds of wall clock of collecting (with inner steps) and of updates.  The first question also spawns, and
runs one iteration that does not count, in which JAX compiles; what it compiled is kept for the next run.

Alike: tasks (ROWS, a multiple of 10), episodes (STEPS / HORIZON), frames of an iteration, passes, steps of
gradient through time, widths of recurrent cell and MLP, most steps of conjugate gradients and line search.

What differs:
  both      evaluations, checkpoints and processes for test tasks are left out; records are kept here alone
  rl2       one layer of EMBED units reads observation, action, reward and flag: here three, as wide together.
            The action head reads the GRU: here a bottleneck and a hidden layer stand between, and a critic
            network in the place of its linear baseline.  A minibatch is a segment of all rows: here all
            segments of one row.  Its segments overlap by 50 steps by default, and not at all in this script.
            Its update makes histograms of gradients and weights at each minibatch
  maml_trpo inner steps have its own size, on normalised advantages.  Of the 50 goals of a task 48 are used
            where 40 rows share them
Its examples have wider networks (MAML 512, RL2 256 256 256 before the GRU), 20 tasks, 10 episodes a task
and 10 passes of RL2; rates, clips and discounts are of those examples, and cost nothing."""
import importlib.metadata
import os
import sys
import time
import types

if not os.environ.get("HUNCH_BENCH_METAWORLD_ALGORITHMS"):
    sys.exit(1)
sys.path.insert(0, os.environ["HUNCH_BENCH_METAWORLD_ALGORITHMS"])
os.environ["JAX_PLATFORMS"] = "cpu"
try:
    import jax
    import mujoco
    import numpy as np
    from metaworld_algorithms.config import networks, nn, rl
    from metaworld_algorithms.config.optim import OptimizerConfig
    from metaworld_algorithms.config.utils import Activation, CellType, Initializer, StdType
    from metaworld_algorithms.envs import MetaworldMetaLearningConfig
    from metaworld_algorithms.rl.algorithms import MAMLTRPOConfig, RL2Config
except ImportError as error:
    sys.exit(f"field_jax.py: {error}")

cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "hunch", "jax"))

CLASSES = 10  # of ML10's training tasks; each has as many rows as any other
GOALS = 50  # of each class
LAYERS = {"kernel_init": Initializer.XAVIER_UNIFORM, "bias_init": Initializer.ZEROS, "activation": Activation.Tanh}
POLICY = {
    "log_std_min": np.log(1e-6),
    "log_std_max": None,
    "squash_tanh": False,
    "head_kernel_init": Initializer.XAVIER_UNIFORM,
    "head_bias_init": Initializer.ZEROS,
}


class Tasks(MetaworldMetaLearningConfig):
    """Without the processes of an evaluation that never comes."""

    def spawn_test(self, seed=1):
        return types.SimpleNamespace(close=lambda: None)


def rl2_config(rows, epochs, segment, embed, hidden):
    policy = networks.RecurrentContinuousActionPolicyConfig(
        encoder_config=nn.VanillaNetworkConfig(width=embed, depth=0, **LAYERS),
        network_config=nn.RecurrentNeuralNetworkConfig(
            width=hidden,
            cell_type=CellType.GRU,
            recurrent_kernel_init=Initializer.ORTHOGONAL,
            optimizer=OptimizerConfig(lr=5e-4, max_grad_norm=1.0),
            **LAYERS,
        ),
        std_type=StdType.MLP_HEAD,
        activate_head=True,
        **POLICY,
    )
    return RL2Config(
        num_tasks=rows,
        meta_batch_size=rows,
        gae_lambda=0.95,
        policy_config=policy,
        num_epochs=epochs,
        chunk_len=segment,
        overlap=0,
        normalize_advantages=False,
    )


def maml_config(rows, layers, width):
    policy = networks.ContinuousActionPolicyConfig(
        network_config=nn.VanillaNetworkConfig(depth=layers, width=width, **LAYERS), std_type=StdType.PARAM, **POLICY
    )
    return MAMLTRPOConfig(num_tasks=rows, meta_batch_size=rows, gae_lambda=1.0, policy_config=policy)


class Cell:
    def __init__(self, method, rows, steps, horizon, *sizes):
        of_class = rows // CLASSES
        self.env = Tasks(
            env_id="ML10",
            meta_batch_size=rows,
            max_episode_steps=horizon,
            recurrent_info_in_obs=method == "rl2",
            total_goals_per_task_train=GOALS // of_class * of_class,
        )
        self.envs = self.env.spawn()  # forks, which is safe before JAX has threads
        training = {"total_steps": rows * steps, "meta_batch_size": rows, "rollouts_per_task": steps // horizon}
        if method == "rl2":
            config = rl2_config(rows, *sizes)
            self.training = rl.RNNBasedMetaLearningTrainingConfig(**training)
        else:
            inner, *network = sizes
            config = maml_config(rows, *network)
            training["total_steps"] *= inner + 1
            self.training = rl.GradientBasedMetaLearningTrainingConfig(num_inner_gradient_steps=inner, **training)
        self.agent = config.spawn(self.env, seed=1)
        self.updating = 0.0
        self.time_updates(type(self.agent))
        self.iterate()

    def time_updates(self, kind):
        update = kind.update

        def timed(agent, data):
            start = time.perf_counter()
            result = jax.block_until_ready(update(agent, data))
            self.updating += time.perf_counter() - start
            return result

        kind.update = timed

    def iterate(self):
        """Its whole training loop, of which one iteration is all."""
        self.agent = self.agent.train(self.training, self.envs, self.env, track=False)

    def run(self, iterations):
        self.updating, start = 0.0, time.perf_counter()
        for _ in range(iterations):
            self.iterate()
        seconds = time.perf_counter() - start
        return seconds - self.updating, self.updating


def serve():
    answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # the loop prints
    versions = jax.__version__, mujoco.__version__, importlib.metadata.version("metaworld")
    print("jax-{},mujoco-{},metaworld-{}".format(*versions), file=answers, flush=True)
    cell = None
    for line in sys.stdin:
        method, *sizes, iterations = line.split()
        cell = cell or Cell(method, *map(int, sizes))  # one a process
        print(*cell.run(int(iterations)), file=answers, flush=True)


if __name__ == "__main__":
    serve()
