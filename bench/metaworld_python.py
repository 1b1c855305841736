"""Steps per second of Meta-World's own Python package, one process, one task after the other: what
bench_metaworld sets itself against.  Reads lines "TASK STEPS", prints "TASK RATE", by processor
time, without resets."""
import sys
import time

import metaworld
import numpy as np

metaworld._N_GOALS = 1
for line in sys.stdin:
    task, steps = line.split()
    benchmark = metaworld.MT1(task + "-v3", seed=42)
    env = benchmark.train_classes[task + "-v3"]()
    env.set_task(benchmark.train_tasks[0])
    env.reset()
    actions = np.random.RandomState(0).uniform(-1, 1, (int(steps), 4)).astype(np.float32)
    start = time.process_time()
    for action in actions:
        env.step(action)
    print(task, int(steps) / (time.process_time() - start), flush=True)
