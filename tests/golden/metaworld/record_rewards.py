"""Records what Meta-World's own rewards say, for tests/metaworld_reward_test.c.

    pip install metaworld==3.1.1 mujoco==3.3.0
    python3 record_rewards.py pool DIR [TASK ..]     # many scenes a task, seen and made up
    python3 record_rewards.py write DIR OUT.bin      # those chosen (see plant_rewards.py)

Scenes come from the scripted policies with noise, and from these states with object, fingers, pads,
gripper and action put elsewhere: the unmodified evaluate_state of the package is asked about each.
All that a scene shows is rounded to float32 first, so that the file holds it exactly.
"""

import os
import struct
import sys

import numpy as np

# task: named places, and how many of them a step reads
READS = {
    "button-press": (["site:hole", "site:buttonStart"], 0),
    "button-press-wall": (["site:hole", "site:buttonStart"], 0),
    "button-press-topdown": (["site:hole", "site:buttonStart"], 0),
    "button-press-topdown-wall": (["site:hole", "site:buttonStart"], 0),
    "handle-press": (["site:goalPress"], 0),
    "handle-press-side": (["site:goalPress"], 0),
    "handle-pull": (["site:goalPull"], 0),
    "handle-pull-side": (["site:goalPull"], 0),
    "basketball": (["site:goal"], 0),
    "bin-picking": (["body:bin_goal"], 0),
    "peg-insert-side": (
        ["site:pegHead"]
        + [
            f"site:{c}_corner_collision_box_{j}"
            for j in (1, 2)
            for c in ("bottom_right", "top_left")
        ],
        5,
    ),
    "stick-pull": (["site:stick_end", "body:object"], 1),
    "stick-push": (["site:insertion", "body:object"], 0),
    "assembly": (["site:RoundNut"], 1),
    "disassemble": (["site:RoundNut"], 1),
    "hammer": (["site:goal"], 0),
    "door-lock": (["body:lock_link"], 0),
    "door-unlock": (["body:lock_link"], 1),
}
JOINTS = {"hammer": "NailSlideJoint", "door-open": "doorjoint", "lever-pull": "LeverAxis"}
QUATS = ("assembly", "disassemble", "hammer", "box-close")
SECOND = ("stick-pull", "stick-push")
MARKS = (
    "dial_push_position",
    "_handle_init_pos",
    "window_handle_pos_init",
    "_lever_pos_init",
    "peg_head_pos_init",
    "stick_init_pos",
)
# where the fingers are wanted, from the object
PUSHED = {
    "dial-turn": (0.05, 0.02, 0.09),
    "faucet-open": (-0.04, 0, 0.03),
    "stick-push": (0.015, 0, 0),
    "door-unlock": (0, -0.055, -0.07),
    "lever-pull": (0, -0.055, -0.07),
    "box-close": (0, 0, 0.02),
    "door-open": (0, 0.03, -0.01),
}


def columns(task):
    """Names and widths of a row, in its order."""
    cols = [
        ("hand", 3),
        ("open", 1),
        ("obj", 3),
        ("tcp", 3),
        ("left", 3),
        ("right", 3),
        ("grip", 1),
    ]
    cols += [("quat", 4)] * (task in QUATS) + [("obj2", 3)] * (task in SECOND)
    cols += [("place", 3 * READS[task][1])] if READS.get(task, ([], 0))[1] else []
    cols += [("joint", 1)] * (task in JOINTS) + [("held", 1)] * (task == "stick-push")
    return cols


class Task:
    """One goal of a task, reset, with what reset left behind."""

    def __init__(self, task, seed):
        import metaworld
        from metaworld.policies import ENV_POLICY_MAP

        metaworld._N_GOALS = 1
        self.task, self.places = task, READS.get(task, ([], 0))[0]
        mt = metaworld.MT1(task + "-v3", seed=seed)
        self.env = env = mt.train_classes[task + "-v3"]()
        self.policy = ENV_POLICY_MAP[task + "-v3"]()
        settle = env._reset_hand

        def settled():
            settle()
            self.settled = self.whereabouts()

        env._reset_hand = settled
        env.set_task(mt.train_tasks[0])
        self.obs = env.reset()[0]
        self.end = self.whereabouts()
        rand = np.array(env._last_rand_vec, float)
        self.start = dict(
            rand=np.r_[rand, np.zeros(6 - len(rand))],
            hand0=np.array(env.hand_init_pos, float),
            tcp0=np.array(env.init_tcp, float),
            settled=self.settled,
            end=self.end,
        )
        self.begun = self.constants()

    def place(self, name):
        kind, name = name.split(":")
        return getattr(self.env.data, kind)(name).xpos

    def whereabouts(self):
        return np.r_[
            self.env._get_pos_objects()[:3], np.array([self.place(n) for n in self.places]).ravel()
        ]

    def constants(self):
        env = self.env
        mark = next((getattr(env, m) for m in MARKS if hasattr(env, m)), np.zeros(3))
        far0 = getattr(env, "_obj_to_target_init", 0) or getattr(env, "_target_to_obj_init", 0) or 0
        return np.r_[
            np.array(env._target_pos), np.array(env.obj_init_pos), np.array(mark), float(far0)
        ]

    def seen(self, grip):
        d, o = self.env.data, self.obs
        row = dict(
            hand=o[:3],
            open=o[3],
            obj=o[4:7],
            quat=o[7:11],
            obj2=o[11:14],
            grip=grip,
            tcp=self.env.tcp_center,
            left=d.body("leftpad").xpos,
            right=d.body("rightpad").xpos,
            place=np.array([self.place(n) for n in self.places]).ravel()[
                : 3 * READS.get(self.task, ([], 0))[1]
            ],
            joint=d.joint(JOINTS[self.task]).qpos[0] if self.task in JOINTS else 0,
            held=float(self.env.touching_main_object) if self.task == "stick-push" else 0,
        )
        return {k: np.array(v, np.float64).reshape(-1).copy() for k, v in row.items()}

    def judge(self, row):
        """Reward and success of a scene; None where upstream refuses it."""
        env, d = self.env, self.env.data
        row = {k: v.astype(np.float32).astype(np.float64) for k, v in row.items()}
        d.site("rightEndEffector").xpos[:] = d.site("leftEndEffector").xpos[:] = row["tcp"]
        d.body("leftpad").xpos[:], d.body("rightpad").xpos[:] = row["left"], row["right"]
        for i in range(len(row["place"]) // 3):
            self.place(self.places[i])[:] = row["place"][3 * i : 3 * i + 3]
        if self.task in JOINTS:
            d.joint(JOINTS[self.task]).qpos[0] = row["joint"][0]
        obs = np.r_[
            row["hand"],
            row["open"],
            row["obj"],
            row["quat"],
            row["obj2"],
            np.zeros(4),
            np.zeros(18),
            np.array(env._target_pos),
        ]
        env._get_pos_objects = lambda: (
            np.r_[row["obj"], row["obj2"]] if self.task in SECOND else row["obj"].copy()
        )
        try:
            r, info = env.evaluate_state(obs, np.r_[0, 0, 0, row["grip"]])
        except (ValueError, AssertionError):
            return None
        finally:
            del env._get_pos_objects
        flat = np.concatenate([row[k] for k, _ in columns(self.task)]).astype(np.float32)
        return flat, float(r), float(info["success"])


def somewhere(rng, middle, far=0.15):
    """A point 1 mm to `far` from another, uniform in the logarithm of the distance."""
    way = rng.randn(3) * rng.choice([1, 0.1, 0], 3)
    if not way.any():
        way = rng.randn(3)
    return middle + way / np.linalg.norm(way) * np.exp(rng.uniform(np.log(0.001), np.log(far)))


def made_up(rng, t, row, begun):
    """A scene near one that was seen: things moved to where rewards change."""
    row = {k: v.copy() for k, v in row.items()}
    target, obj0, mark = begun[:3], begun[3:6], begun[6:9]
    shift = np.array(PUSHED.get(t.task, (0, 0, 0)))
    maybe = lambda p: rng.rand() < p
    if t.task == "basketball":
        target = np.r_[target[:2], 0.3]
    if maybe(0.7):
        k = rng.randint(6)
        if k == 0:
            row["obj"] = somewhere(rng, target)
        elif k == 1:
            row["obj"] = somewhere(rng, target, 0.06)
        elif k == 2:
            row["obj"] = obj0 + np.r_[0, 0, rng.uniform(0, 0.05)]
        elif k == 3:
            row["obj"] = obj0 + rng.uniform(0, 1) * (target - obj0) + rng.randn(3) * 0.01
        elif k == 4:
            row["obj"] = row["obj"] + np.r_[0, 0, rng.uniform(0, 0.05)] * rng.choice([0, 1])
        else:
            row["obj"] = somewhere(rng, row["obj"], 0.3)
    if t.task == "shelf-place" and maybe(0.6):
        row["obj"] = target + np.r_[rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.1), 0]
        row["obj"][2] = rng.uniform(-0.02, 0.3)
    if t.task == "soccer" and maybe(0.5):
        row["obj"] = target + np.r_[rng.uniform(-0.2, 0.2), rng.uniform(-0.13, 0.2), 0]
    if t.task.endswith("-wall") and maybe(0.2):
        row["obj"] = np.r_[rng.uniform(-0.1, 0.1), rng.uniform(0.74, 0.76), rng.uniform(0.02, 0.3)]
    if t.task == "push-back" and maybe(0.3):  # a little nearer than at the start
        row["obj"] = obj0 + rng.uniform(0.008, 0.012) * (target - obj0) / np.linalg.norm(
            target - obj0
        )
    if t.task == "push-back" and maybe(0.3):
        row["tcp"] = somewhere(rng, row["obj"], 0.01)
    if t.task == "handle-pull" and maybe(0.2):
        row["obj"][1] = obj0[2] + rng.uniform(0, 0.03)
    if t.task == "peg-unplug-side" and maybe(0.4):
        row["obj"] = obj0 + np.r_[rng.uniform(0, 0.05), 0, 0]
    if maybe(0.8):
        row["tcp"] = somewhere(rng, row["obj"] + shift, rng.choice([0.01, 0.05, 0.1, 0.3]))
    if maybe(0.2) and t.task.startswith("reach"):
        row["tcp"] = somewhere(rng, target)
    if maybe(0.3):
        row["tcp"] = somewhere(rng, target, 0.3)
    if maybe(0.2):
        row["tcp"][2] = rng.uniform(0.0, 0.06)
    if maybe(0.7):
        row["hand"] = somewhere(rng, row["obj"] + shift, rng.choice([0.05, 0.3]))
        if maybe(0.4):
            row["hand"][2] = rng.uniform(0, 0.3)
        if maybe(0.2):
            row["hand"][:2] = target[:2] + rng.randn(2) * 0.05
        row["hand"] = np.clip(row["hand"], (-0.525, 0.348, -0.0525), (0.525, 1.025, 0.7))
    if maybe(0.8):
        y = row["obj"][1]
        row["left"][1], row["right"][1] = y + rng.uniform(0, 0.12), y - rng.uniform(0, 0.12)
        if maybe(0.3):
            row["left"][1] = y + rng.uniform(0, 0.03)
        if maybe(0.3):
            row["right"][1] = y - rng.uniform(0, 0.03)
        if maybe(0.1):
            row["left"][1] = y - rng.uniform(0, 0.03)
    if t.task == "door-lock" and maybe(0.7):
        row["left"] = somewhere(rng, row["obj"], 0.1)
    if maybe(0.5):
        row["open"] = np.array([rng.choice([0, rng.rand(), 0.3 + 0.3 * rng.rand()])])
    if maybe(0.8):
        row["grip"] = np.array([rng.choice([rng.uniform(-1.5, 1.5), rng.uniform(0, 0.2), 1])])
    if t.task in QUATS and maybe(0.7):
        ideal = np.r_[1, 0, 0, 0] if t.task == "hammer" else np.r_[0.707, 0, 0, 0.707]
        row["quat"] = ideal + rng.randn(4) * rng.choice([0.02, 0.1, 0.3])
    if t.task in JOINTS and maybe(0.9):
        row["joint"] = np.array(
            [
                {
                    "hammer": rng.uniform(0.0, 0.12),
                    "lever-pull": rng.uniform(-2, 0),
                    "door-open": rng.choice([rng.uniform(-2, 0), rng.uniform(-0.06, 0)]),
                }[t.task]
            ]
        )
    if t.task in ("assembly", "disassemble") and maybe(0.8):
        row["place"] = somewhere(
            rng, target + np.r_[0, 0, rng.choice([-0.02, 0, 0.1])], rng.choice([0.03, 0.3])
        )
        if maybe(0.2):
            row["place"][2] = rng.uniform(0, 0.04)
    if t.task == "assembly" and maybe(0.3):
        row["place"][:2] = target[:2] + somewhere(rng, np.zeros(3), 0.03)[:2]
    if t.task == "peg-insert-side" and maybe(0.8):
        j = rng.choice([1, 3])
        a, b = row["place"][3 * j : 3 * j + 3], row["place"][3 * j + 3 : 3 * j + 6]
        row["place"][:3] = (
            a + rng.uniform(-0.1, 1.1, 3) * (b - a) if maybe(0.5) else somewhere(rng, target)
        )
    if t.task == "door-unlock" and maybe(0.5):
        row["place"] = row["place"] + rng.randn(3) * 0.02
    if t.task in SECOND and maybe(0.7):
        row["obj2"] = somewhere(rng, target, 0.3)
        if t.task == "stick-pull":
            if maybe(0.5):
                row["obj"] = mark + np.r_[0, 0, rng.uniform(0, 0.05)]
            if maybe(0.7):
                row["tcp"] = somewhere(rng, row["obj"], 0.03)
            row["place"] = (
                row["obj2"]
                + np.r_[rng.uniform(-0.03, 0.1), rng.uniform(-0.06, 0.06), rng.uniform(-0.08, 0.08)]
            )
    return row


def pool(task, seeds=(5, 6, 7), many=9000):
    """All scenes of a task: those seen first."""
    starts, rows = [], []
    for k, seed in enumerate(seeds):
        rng = np.random.RandomState(seed)
        t = Task(task, seed)
        for i in range(180):
            noise = rng.randn(4) * (0.15 if k else 0)
            a = np.clip(t.policy.get_action(t.obs) + noise, -1, 1).astype(np.float32)
            t.obs = t.env.step(a)[0]
            if i == 0:
                t.start["first"], t.start["begun"] = t.obs[4:7].copy(), t.constants()
                starts.append(t.start)
            now = t.constants()
            live = np.flatnonzero(np.abs(now - t.start["begun"]) > 0)
            if len(live) and i == 100:
                print(task, "constants that move", live)
            row = t.seen(float(a[3]))
            keep = [x.copy() for x in (t.env.data.qpos, t.env.data.site_xpos, t.env.data.xpos)]
            for j in range(1 + many // (180 * len(seeds))):
                got = t.judge(row if j == 0 else made_up(rng, t, row, t.start["begun"]))
                if got:
                    rows.append((k, j == 0) + got)
                for x, y in zip((t.env.data.qpos, t.env.data.site_xpos, t.env.data.xpos), keep):
                    x[:] = y
    return starts, rows


def save(folder, task, starts, rows):
    np.savez(
        os.path.join(folder, task + ".npz"),
        episode=[r[0] for r in rows],
        real=[r[1] for r in rows],
        rows=np.array([r[2] for r in rows]),
        reward=[r[3] for r in rows],
        success=[r[4] for r in rows],
        starts=np.array(
            [
                np.r_[
                    s["rand"], s["hand0"], s["tcp0"], s["settled"], s["end"], s["first"], s["begun"]
                ]
                for s in starts
            ]
        ),
    )


def parts(rng):
    """What the package's small functions say: rows of x, low, high, margin, with a long tail, a, b,
    their Hamacher product, and x in [0, high] with a Gaussian tail; and prisms."""
    from metaworld.utils import reward_utils as u

    few, prisms = [], []
    for _ in range(PARTS):
        low, high = np.sort(rng.uniform(-0.2, 0.3, 2)) * rng.choice([1, 0], 2, p=[0.8, 0.2])
        low, high = min(low, high), max(low, high)
        x, margin, a, b = (
            rng.uniform(-0.5, 0.8),
            rng.choice([0, rng.uniform(0.01, 0.5)], p=[0.2, 0.8]),
            *rng.uniform(0, 1, 2),
        )
        a, b = (0.0, 0.0) if rng.rand() < 0.1 else (a, b)
        few.append(
            [
                x,
                low,
                high,
                margin,
                u.tolerance(x, (low, high), margin, "long_tail"),
                a,
                b,
                u.hamacher_product(a, b),
                u.tolerance(x, (0, abs(high)), margin, "gaussian"),
            ]
        )
        zero, one = rng.uniform(-1, 1, (2, 3))
        at = zero + rng.uniform(-0.1, 1.1, 3) * (one - zero)
        prisms.append([*at, *zero, *one, u.rect_prism_tolerance(at, zero, one)])
    return np.array(few), np.array(prisms)


PARTS = 200


def write(folder, out, chosen):
    """The golden file, little-endian.  First the small functions' rows [PARTS, 9] and [PARTS, 10].
    Per task: name [32], counts of episodes, places, places a step reads, and flags; per episode its
    start, how many rows, and the rows."""
    with open(out, "wb") as f:
        tasks = sorted(chosen)
        f.write(struct.pack("<8sii", b"mwreward", len(tasks), PARTS))
        for block in parts(np.random.RandomState(3)):
            f.write(block.astype("<f8").tobytes())
        for task in tasks:
            z = np.load(os.path.join(folder, task + ".npz"))
            places, step = READS.get(task, ([], 0))
            flags = (
                (task in QUATS)
                | (task in SECOND) << 1
                | (task in JOINTS) << 2
                | (task == "stick-push") << 3
            )
            f.write(
                struct.pack("<32s4i", task.encode(), len(z["starts"]), len(places), step, flags)
            )
            for k, start in enumerate(z["starts"]):
                mine = [i for i in chosen[task] if z["episode"][i] == k]
                f.write(start.astype("<f8").tobytes() + struct.pack("<i", len(mine)))
                for i in mine:
                    f.write(z["rows"][i].astype("<f4").tobytes())
                    f.write(struct.pack("<dB", z["reward"][i], int(z["success"][i])))


def main():
    if sys.argv[1] == "pool":
        import metaworld

        folder = sys.argv[2]
        os.makedirs(folder, exist_ok=True)
        for task in sys.argv[3:] or [n[:-3] for n in metaworld.MT1.ENV_NAMES]:
            starts, rows = pool(task)
            save(folder, task, starts, rows)
            print(
                task,
                len(rows),
                "scenes",
                sum(r[1] for r in rows),
                "seen",
                "rewards",
                min(r[3] for r in rows),
                max(r[3] for r in rows),
                "solved",
                sum(r[4] for r in rows),
                flush=True,
            )
    else:
        import json

        write(sys.argv[2], sys.argv[3], json.load(open(os.path.join(sys.argv[2], "chosen.json"))))


if __name__ == "__main__":
    main()
