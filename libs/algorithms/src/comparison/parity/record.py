"""Records what SciPy says about Student's t and the binomial's tail, for parity.spec.ts.

    python record.py > scipy.json        (scipy 1.17, numpy 2.4)
"""
import json

import scipy
from scipy import stats

DEGREES = [1, 2, 3, 5, 6, 7, 8, 13, 20, 27, 60, 200, 1000.5, 100000]
PROBABILITIES = [1e-12, 1e-6, 0.0002, 0.005, 0.01, 0.05, 0.1, 0.3, 0.5, 0.6, 0.9, 0.95, 0.99, 0.999999]
POINTS = [-40.0, -3.5, -1.0, -1e-4, 0.0, 0.2, 1.4, 2.7, 6.0, 25.0]
BINOMIALS = [(1, 1, 0.1), (3, 3, 0.0909), (5, 40, 0.1), (40, 400, 0.05), (90, 400, 0.2), (2, 100000, 1e-5), (5200, 50000, 0.1)]

print(json.dumps({
    "scipy": scipy.__version__,
    "quantiles": [[p, df, stats.t.ppf(p, df)] for df in DEGREES for p in PROBABILITIES],
    "tails": [[t, df, stats.t.sf(t, df)] for df in DEGREES for t in POINTS],
    "binomials": [[k, n, p, stats.binom.sf(k - 1, n, p)] for k, n, p in BINOMIALS],
}, indent=1))
