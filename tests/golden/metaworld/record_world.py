"""Records what tests/metaworld_test.c compares with: episodes of Meta-World's own package.

    pip install metaworld==3.1.1 mujoco==3.3.0 packaging 'numpy<2'
    python3 record_world.py        # writes recordings.bin and goals.bin beside itself

(NumPy 2 rounds rewards to float32 where the float32 action enters them; NumPy 1 does not.)

Scripted policies, benchmark MT1 with seed 42, its first goal, goal visible.  All numbers are
float64, little endian.  recordings.bin, for each task:

    a line: task NAME nq nv rewards-of-steps records
    rand [6], tcp0 [3], target [3], obj0 [3], mark [3], far0     NaN: the task has none
    after reset: qpos, qvel, mocap [3], obs [39]
    each record: step; before it: qpos, qvel, mocap [3], warm start, seen before [18];
                 after it: qpos, qvel, mocap [3], obs [39], reward, success
    each step: action [4], reward, success

goals.bin, for each benchmark half: a line "BENCHMARK HALF SEED TASKS", then the tasks' names in a
line, then random vectors [TASKS, 50, 6], zeros where a task has three components.
"""
import os
import pickle

import metaworld
import numpy as np
from metaworld.policies import ENV_POLICY_MAP

SEED, STEPS, RECORDS = 42, 150, [0, 1, 14, 28, 41, 55, 68, 82, 95, 109, 122, 136, 149]
MARKS = ["dial_push_position", "_handle_init_pos", "window_handle_pos_init", "_lever_pos_init",
         "peg_head_pos_init", "stick_init_pos"]
HERE = os.path.dirname(os.path.abspath(__file__))


def write(file, *parts):
    for part in parts:
        file.write(np.asarray(part, "<f8").ravel().tobytes())


def padded(vector):
    return np.concatenate([vector, np.zeros(6 - len(vector))])


def first(env, names, size):
    for name in names:
        if getattr(env, name, None) is not None:
            return np.array(getattr(env, name))
    return np.full(size, np.nan)


def state(env):
    d = env.data
    return [d.qpos.copy(), d.qvel.copy(), d.mocap_pos[0].copy()]


def record(file, name):
    env_class = metaworld.ALL_V3_ENVIRONMENTS[name]
    env = env_class()
    env.set_task(metaworld.MT1(name, seed=SEED).train_tasks[0])
    obs, _ = env.reset()
    constants = [padded(env._last_rand_vec), env.init_tcp, np.array(env._target_pos),
                 np.array(env.obj_init_pos), first(env, MARKS, 3)]
    after_reset = [*state(env), obs.copy()]
    policy = ENV_POLICY_MAP[name]()
    records, steps = [], []
    for t in range(STEPS):
        seen = obs.copy()  # policies write into what they are given
        action = np.clip(np.asarray(policy.get_action(seen), np.float32), -1, 1)
        before = [[t], *state(env), env.data.qacc_warmstart.copy(), env._prev_obs.copy()]
        obs, reward, _, _, info = env.step(action)
        if t in RECORDS:
            records.append([*before, *state(env), obs, [reward], [info["success"]]])
        steps.append([*action, reward, info["success"]])
    far0 = first(env, ["_obj_to_target_init", "_target_to_obj_init"], 1)
    m = env.model
    file.write(f"task {name[:-3]} {m.nq} {m.nv} {STEPS} {len(records)}\n".encode())
    write(file, *constants, far0, *after_reset)
    for r in records:
        write(file, *r)
    write(file, np.array(steps))


def record_goals(file, benchmark, half, seed, tasks):
    names = list(dict.fromkeys(t.env_name for t in tasks))
    file.write(f"{benchmark} {half} {seed} {len(names)}\n".encode())
    file.write((" ".join(n[:-3] for n in names) + "\n").encode())
    write(file, *[padded(pickle.loads(t.data)["rand_vec"]) for t in tasks])


def main():
    with open(os.path.join(HERE, "goals.bin"), "wb") as file:
        for name in metaworld.MT1.ENV_NAMES:
            record_goals(file, "mt1", "train", SEED, metaworld.MT1(name, seed=SEED).train_tasks)
        record_goals(file, "ml1", "test", SEED, metaworld.ML1("reach-v3", seed=SEED).test_tasks)
        ml10 = metaworld.ML10(seed=SEED)
        record_goals(file, "ml10", "train", SEED, ml10.train_tasks)
        record_goals(file, "ml10", "test", SEED, ml10.test_tasks)
    metaworld._N_GOALS = 1
    with open(os.path.join(HERE, "recordings.bin"), "wb") as file:
        for name in metaworld.MT1.ENV_NAMES:
            record(file, name)


main()
