"""Plants errors in the rewards, one at a time, and sees whether the recorded scenes notice.

    python3 plant_rewards.py choose DIR [TASK ..] # out of DIR's pools: few scenes that notice all
    python3 plant_rewards.py check rewards.bin    # which errors the file would let pass

Every number of plugins/envs/metaworld/reward*.[ch] is made 2 % larger and 2 % smaller (a whole one
1 larger, 0 becomes 1 and -1), comparisons, logic and truth values are turned round, in the tables
too.  `choose` writes DIR/chosen.json for record_rewards.py; both print the errors nothing noticed.
"""

import ctypes
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import numpy as np

from record_rewards import READS, columns

HERE = os.path.dirname(os.path.abspath(__file__))
CODE = os.path.normpath(os.path.join(HERE, "../../../plugins/envs/metaworld"))
FILES = ["reward.c"] + [
    "reward_%s.c" % f for f in ("press", "reach", "pick", "push", "sweep", "tool", "sum")
]
SHIM = """
#include "scene.h"
#include <string.h>
void many(const HnMwRule *r, const HnMwScene *s, int n, double *o, unsigned char *ok) {
  for (int i = 0; i < n; i++) o[i] = hn_mw_reward(r, s + i), ok[i] = hn_mw_success(r, s + i);
}
void begin(const HnMwRule *r, const double *rand, const HnMwScene *settled, HnMwScene *end,
           const double *first, double *out) {
  hn_mw_begin(r, rand, settled, end);
  HnMwScene f = *end;
  memcpy(f.obj, first, sizeof f.obj);
  hn_mw_first_step(r, &f);
  memcpy(out, f.target, 24), memcpy(out + 3, f.obj0, 24), memcpy(out + 6, f.mark, 24);
  out[9] = f.far0;
}
"""
D = ctypes.c_double
CLEAR = 1e-9  # an error is noticed from here on, far above the test's tolerance


class Scene(ctypes.Structure):
    _fields_ = (
        [
            (n, D * w)
            for n, w in (
                ("hand", 3),
                ("open", 1),
                ("obj", 3),
                ("quat", 4),
                ("obj2", 3),
                ("quat2", 4),
                ("tcp", 3),
                ("left", 3),
                ("right", 3),
                ("place", 15),
                ("joint", 1),
            )
        ]
        + [("held", ctypes.c_bool)]
        + [
            (n, D * w)
            for n, w in (
                ("grip", 1),
                ("hand0", 3),
                ("tcp0", 3),
                ("target", 3),
                ("obj0", 3),
                ("mark", 3),
                ("far0", 1),
            )
        ]
    )


AT = {n: getattr(Scene, n).offset // 8 for n, _ in Scene._fields_}
WIDE = ctypes.sizeof(Scene) // 8


class Recorded:
    """Starts, scenes and answers of one task, laid out as C wants them."""

    def __init__(self, task, starts, episode, rows, reward, success):
        self.task, self.reward, self.success = task, np.array(reward), np.array(success)
        self.episode, self.begins = np.array(episode), []
        self.scenes = np.zeros((len(rows), WIDE))
        at = 0
        for name, w in columns(task):
            x = np.asarray(rows, np.float64)[:, at : at + w]
            if name == "held":
                self.scenes.view(np.uint8).reshape(len(rows), -1)[:, Scene.held.offset] = x[:, 0]
            else:
                self.scenes[:, AT[name] : AT[name] + w] = x
            at += w
        wide = 3 + 3 * len(READS.get(task, ([], 0))[0])
        for k, s in enumerate(starts):
            settled, end = np.zeros(WIDE), np.zeros(WIDE)
            for scene, a in ((settled, 12), (end, 12 + wide)):
                scene[AT["obj"] : AT["obj"] + 3] = s[a : a + 3]
                scene[AT["place"] : AT["place"] + wide - 3] = s[a + 3 : a + wide]
            a = 12 + 2 * wide
            self.begins.append((s[:6].copy(), settled, end, s[a : a + 3].copy(), s[a + 3 : a + 13]))
            mine = self.episode == k
            for name, x in (
                ("hand0", s[6:9]),
                ("tcp0", s[9:12]),
                ("target", s[a + 3 : a + 6]),
                ("obj0", s[a + 6 : a + 9]),
                ("mark", s[a + 9 : a + 12]),
                ("far0", s[a + 12 : a + 13]),
            ):
                self.scenes[mine, AT[name] : AT[name] + len(x)] = x

    def noticed(self, lib):
        """Which scenes answer otherwise than recorded, and whether a start does."""
        rule = lib.hn_mw_rule(self.task.encode())
        n = len(self.scenes)
        if not rule:
            return np.ones(n, bool), True
        r, ok = np.zeros(n), np.zeros(n, np.uint8)
        lib.many(rule, self.scenes.ctypes.data, n, r.ctypes.data, ok.ctypes.data)
        start = False
        for rand, settled, end, first, want in self.begins:
            out, end = np.zeros(10), end.copy()
            lib.begin(
                rule,
                rand.ctypes.data,
                settled.ctypes.data,
                end.ctypes.data,
                first.ctypes.data,
                out.ctypes.data,
            )
            start = start or not np.abs(out - want).max() <= CLEAR
        return ~(np.abs(r - self.reward) <= CLEAR) | (ok != self.success), start


def from_pool(folder, task):
    z = np.load(os.path.join(folder, task + ".npz"))
    return (
        Recorded(task, z["starts"], z["episode"], z["rows"], z["reward"], z["success"]),
        z["real"],
    )


def from_file(path):
    """The reader of what record_rewards.py writes."""
    raw, at = open(path, "rb").read(), 0

    def take(form):
        nonlocal at
        got = struct.unpack_from("<" + form, raw, at)
        at += struct.calcsize("<" + form)
        return got

    magic, tasks, parts = take("8sii")
    assert magic == b"mwreward"
    at += 8 * 9 * parts + 8 * 10 * parts
    for _ in range(tasks):
        name, episodes, places, _, _ = take("32s4i")
        task = name.rstrip(b"\0").decode()
        wide = sum(w for _, w in columns(task))
        starts, episode, rows, reward, success = [], [], [], [], []
        for k in range(episodes):
            starts.append(np.array(take("%dd" % (31 + 6 * places))))
            for _ in range(take("i")[0]):
                rows.append(take("%df" % wide))
                r, ok = take("dB")
                reward.append(r), success.append(ok), episode.append(k)
        yield Recorded(task, starts, episode, rows, reward, success)


def compile_one(source, out, include):
    return (
        subprocess.run(
            [
                "gcc",
                "-std=c11",
                "-O1",
                "-w",
                "-ffp-contract=off",
                "-fPIC",
                "-c",
                "-I",
                include,
                "-I",
                CODE,
                source,
                "-o",
                out,
            ],
            capture_output=True,
        ).returncode
        == 0
    )


def link(objects, out):
    subprocess.run(["gcc", "-shared", *objects, "-o", out, "-lm"], check=True)
    lib = ctypes.CDLL(out)
    lib.hn_mw_rule.restype = ctypes.c_void_p
    lib.many.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    lib.begin.argtypes = [ctypes.c_void_p] * 6
    return lib


NUMBER = re.compile(r"(?<![\w.\[])(\d+\.\d+|\d+)(?![\w.\]])F?")
TURNS = [
    (re.compile(r"(?<![-<>=])<(?![<=])(?= )"), ">"),
    (re.compile(r" > "), " < "),
    (re.compile(r"<="), ">"),
    (re.compile(r">="), "<"),
    (re.compile(r"&&"), "||"),
    (re.compile(r"\|\|"), "&&"),
    (re.compile(r"\btrue\b"), "false"),
    (re.compile(r"HN_MW_HIGH(?=[,}])"), "HN_MW_PLAIN"),
    (re.compile(r"HN_MW_PLAIN(?=[,}])"), "HN_MW_HIGH"),
    (re.compile(r"HN_MW_MEDIUM(?=[,}])"), "HN_MW_HIGH"),
]
# not arithmetic: loops, sizes, ends of tables, macro's own words, guards
SKIP = re.compile(
    r"#include|#ifndef|for \(|sizeof|\{0\},|^enum|strcmp|typedef|== 0\)|#define NEVER|from >= HN"
)


def errors(text):
    """Pairs of (what, changed text)."""
    bare = re.sub(
        r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S
    )
    bare = re.sub(r"\[[^\]\n]*\]", lambda m: " " * len(m[0]), bare)
    line = lambda at: text.count("\n", 0, at)
    lines = text.split("\n")
    for m in NUMBER.finditer(bare):
        if SKIP.search(lines[line(m.start())]):
            continue
        x = float(m[1])
        for y in (
            [1, -1] if x == 0 else [x * 1.02, x * 0.98] if "." in m[0] else [int(x) + 1, x * 0.98]
        ):
            yield f"{line(m.start()) + 1}: {m[0]} -> {y:.6g}", text[: m.start()] + repr(y) + text[
                m.end() :
            ]
    for find, put in TURNS:
        for m in find.finditer(bare):
            if SKIP.search(lines[line(m.start())]):
                continue
            yield f"{line(m.start()) + 1}: '{m[0].strip()}' -> '{put.strip()}'", text[
                : m.start()
            ] + put + text[m.end() :]


def planted(work, files):
    """Yields (file, what, library), first of all (None, None, the right one)."""
    objects = {}
    open(os.path.join(work, "shim.c"), "w").write(SHIM)
    for f in FILES + ["shim.c"]:
        objects[f] = os.path.join(work, f[:-1] + "o")
        assert compile_one(os.path.join(work if f == "shim.c" else CODE, f), objects[f], CODE)
    yield None, None, link(objects.values(), os.path.join(work, "right.so"))
    number = 0
    for f in files:
        text = open(os.path.join(CODE, f)).read()
        for what, changed in errors(text):
            number += 1
            folder = os.path.join(work, str(number))
            os.mkdir(folder)
            open(os.path.join(folder, f), "w").write(changed)
            if f == "reward.h":  # quotes look beside the source first
                for g in FILES:
                    os.symlink(os.path.join(CODE, g), os.path.join(folder, g))
            for g in FILES if f == "reward.h" else [f]:
                if not compile_one(os.path.join(folder, g), os.path.join(folder, g + ".o"), folder):
                    break
            else:
                mine = {
                    g: os.path.join(folder, g + ".o") if g in os.listdir(folder) else o
                    for g, o in objects.items()
                }
                yield f, what, link(mine.values(), os.path.join(folder, "x.so"))
                continue
            print("does not compile:", f, what)


SHARED = {"reward.c", "reward.h"}


def rules_of(f, tasks):
    if f in SHARED:
        return tasks
    text = open(os.path.join(CODE, f)).read()
    return [t for t in tasks if '"%s"' % t in text]


def look(recorded, keep):
    """Plants everything; hands to keep, for each error, {task: which scenes notice}."""
    survivors, count = [], 0
    with tempfile.TemporaryDirectory() as work:
        files = [f for f in FILES + ["reward.h"] if rules_of(f, recorded)]
        for f, what, lib in planted(work, files if len(recorded) == 50 else set(files) - SHARED):
            seen, start = {}, False
            for task in sorted(recorded) if f is None else rules_of(f, recorded):
                scenes, begins = recorded[task].noticed(lib)
                start |= begins
                if scenes.any():
                    seen[task] = scenes
            if f is None:
                assert not seen and not start, ("the right code differs", list(seen))
                continue
            count += 1
            if not seen and not start:
                survivors.append(f"{f}:{what}")
            keep(seen)
    print(count, "errors planted,", len(survivors), "not noticed")
    for s in survivors:
        print("  ", s)


def choose(folder, tasks):
    recorded, real, wanted, chosen = {}, {}, {}, {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".npz") and (not tasks or name[:-4] in tasks):
            recorded[name[:-4]], real[name[:-4]] = from_pool(folder, name[:-4])

    def keep(seen):
        for task, scenes in seen.items():
            wanted.setdefault(task, []).append(np.packbits(scenes))

    look(recorded, keep)
    rng = np.random.RandomState(1)
    if tasks:
        chosen = json.load(open(os.path.join(folder, "chosen.json")))
    for task, r in recorded.items():
        seen = np.flatnonzero(real[task])
        mine = set(seen[np.linspace(0, len(seen) - 1, 36).astype(int)].tolist())
        open_ = [np.unpackbits(w, count=len(r.reward)).astype(bool) for w in wanted.get(task, [])]
        open_ = [w for w in open_ if not any(w[i] for i in mine)]
        while open_:
            best = int(np.argmax(np.sum(open_, axis=0)))
            mine.add(best)
            open_ = [w for w in open_ if not w[best]]
        cover = len(mine)
        while len(mine) < 60:
            mine.add(int(rng.randint(len(r.reward))))
        chosen[task] = sorted(mine)
        print(f"{task:28s} {cover} scenes notice what the pool does, {len(mine)} kept")
    json.dump(chosen, open(os.path.join(folder, "chosen.json"), "w"))


if __name__ == "__main__":
    if sys.argv[1] == "choose":
        choose(sys.argv[2], sys.argv[3:])
    else:
        look({r.task: r for r in from_file(sys.argv[2])}, lambda seen: None)
