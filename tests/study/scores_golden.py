"""Prints scores_golden.h: score matrices and what rliable and scipy make of them.

    pip install rliable arch scipy && python3 scores_golden.py | clang-format > scores_golden.h
"""
import numpy as np
import rliable.library as library
import rliable.metrics as metrics
import scipy
from scipy import stats

SHAPES = {"uneven": (5, 3), "ties": (4, 6), "wide": (10, 7)}
TAUS = (0.1, 0.5, 0.9)


def matrices(name, shape):
    """Two arms of one shape; those of `ties` are successes of four trials, which agree often."""
    rng = np.random.default_rng(sum(map(ord, name)))
    if name == "ties":
        x, y = rng.integers(0, 5, shape) / 4, rng.integers(0, 4, shape) / 4
        y[:, 0] = x[:, 0]
        return x, y
    return (np.round(rng.normal(0.6, 0.5, shape), 6), np.round(rng.normal(0.4, 0.5, shape), 6))


def row(values):
    return ", ".join(repr(float(v)) for v in np.ravel(values))


def main():
    print("/* scores_golden.h - made by scores_golden.py: rliable %s, scipy %s. */" % ("1.2.0", scipy.__version__))
    print("#ifndef SCORES_GOLDEN_H\n#define SCORES_GOLDEN_H")
    for name, shape in SHAPES.items():
        x, y = matrices(name, shape)
        print("static const double %s_x[] = {%s};" % (name, row(x)))
        print("static const double %s_y[] = {%s};" % (name, row(y)))
    print("static const struct {\n  const char *name;\n  int64_t runs, tasks;\n  const double *x, *y;\n"
          "  double mean, median, iqm, gap, improvement, above[3];\n} goldens[] = {")
    for name, shape in SHAPES.items():
        x, y = matrices(name, shape)
        assert np.isclose(metrics.aggregate_iqm(x), stats.trim_mean(x, 0.25, axis=None), atol=0, rtol=1e-15)
        values = [metrics.aggregate_mean(x), metrics.aggregate_median(x), metrics.aggregate_iqm(x),
                  metrics.aggregate_optimality_gap(x), metrics.probability_of_improvement(x, y)]
        above = library.score_distributions(x, np.array(TAUS))
        print('    {"%s", %d, %d, %s_x, %s_y, %s, {%s}},' % (name, *shape, name, name, row(values), row(above)))
    print("};\n#endif")


main()
