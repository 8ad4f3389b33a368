"""Records what SciPy and River say about distances, false discoveries and ADWIN, for drift.parity.spec.ts.

    python record.py > peers.json        (scipy 1.17, numpy 2.4, river 0.26)

Samples come from a linear congruential generator that the spec has too; they are rounded, so that ties occur.
"""
import json

import numpy as np
import river
import scipy
from river.drift import ADWIN
from scipy import special, stats
from scipy.spatial.distance import jensenshannon


def stream(seed):
    """Uniform on [0, 1): x ← 1664525 x + 1013904223 mod 2³², as generated() in the spec."""
    x = seed
    while True:
        x = (1664525 * x + 1013904223) % 2**32
        yield x / 2**32


def sample(seed, n, shift, scale, digits):
    s = stream(seed)
    return [round(shift + scale * (next(s) + next(s)), digits) for _ in range(n)]


samples = []
for seed, n, m, shift, scale, digits in [
    (1, 8, 5, 0.0, 1.0, 3), (2, 30, 30, 0.3, 1.0, 3), (3, 40, 25, 0.0, 1.5, 1), (4, 200, 150, 0.1, 1.0, 2),
    (5, 700, 900, 0.05, 1.0, 3), (6, 700, 900, 0.4, 0.7, 3), (7, 12, 400, 0.0, 1.0, 4),
]:
    a, b = sample(seed, n, 0.0, 1.0, digits), sample(seed + 100, m, shift, scale, digits)
    # SciPy's exact p does not know ties either: it takes the distance as it is
    exact = stats.ks_2samp(a, b, method="exact")
    asymptotic = stats.ks_2samp(a, b, method="asymp")
    samples.append({
        "seed": seed, "n": n, "m": m, "shift": shift, "scale": scale, "digits": digits,
        "distance": exact.statistic, "exact": exact.pvalue, "asymptotic": asymptotic.pvalue,
        "wasserstein": stats.wasserstein_distance(a, b),
    })

histograms = []
for p, q in [([50, 50], [25, 75]), ([1, 0, 0], [0, 0, 9]), ([10, 20, 30, 0], [11, 19, 31, 2]), ([5] * 10, list(range(10)))]:
    histograms.append({"p": p, "q": q, "bits": jensenshannon(p, q, base=2) ** 2,
                       "wasserstein": stats.wasserstein_distance(range(len(p)), range(len(q)), p, q)})

controls = []
for seed, n in [(11, 1), (12, 5), (13, 40)]:
    s = stream(seed)
    p = [round(next(s) ** 4, 6) for _ in range(n)]
    controls.append({"p": p, "bh": stats.false_discovery_control(p, method="bh").tolist(),
                     "by": stats.false_discovery_control(p, method="by").tolist()})

adwins = []
for seed, n, at, jump, delta, clock in [
    (21, 600, 300, 0.4, 0.002, 1), (22, 1500, 700, 0.15, 0.002, 1), (23, 800, 9999, 0.0, 0.05, 1), (24, 900, 450, 0.3, 0.01, 32),
]:
    # without River's grace period and shortest part, which the paper does not have
    adwin = ADWIN(delta=delta, clock=clock, min_window_length=1, grace_period=0)
    s = stream(seed)
    found = []
    for i in range(n):
        adwin.update(round(0.6 * next(s) + (jump if i >= at else 0.0), 6))
        if adwin.drift_detected:
            found.append([i, int(adwin.width)])
    adwins.append({"seed": seed, "n": n, "at": at, "jump": jump, "delta": delta, "clock": clock, "found": found,
                   "width": int(adwin.width), "mean": adwin.estimation})

print(json.dumps({
    "scipy": scipy.__version__, "numpy": np.__version__, "river": river.__version__,
    "samples": samples, "histograms": histograms, "controls": controls, "adwins": adwins,
    "kolmogorov": [[x, special.kolmogorov(x)] for x in [0.05, 0.2, 0.5, 0.8, 0.99, 1.0, 1.3, 2.0, 4.0, 9.0]],
}, indent=1))
