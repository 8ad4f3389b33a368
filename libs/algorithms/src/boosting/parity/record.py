"""Records what LightGBM and scikit-learn answer on data that parity.spec.ts rebuilds bit for bit.

Run: pip install lightgbm scikit-learn numpy; python record.py   (writes boosting.json, metrics.json, calibration.json beside itself
and beside the rooms that read them). Every number of the data comes from one linear congruential generator (Numerical Recipes:
x <- 1664525 x + 1013904223 mod 2^32) and from +, -, *, / and floor, which IEEE 754 rounds alike everywhere.
"""
import json
import math
from pathlib import Path

import lightgbm
import numpy as np
import sklearn
from sklearn import metrics
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

HERE = Path(__file__).parent
CATEGORIES = 12


class Lcg:
    def __init__(self, seed):
        self.x = seed

    def uniform(self):
        self.x = (1664525 * self.x + 1013904223) % 2**32
        return self.x / 2**32


def make(seed, rows):
    """Columns x0..x4 and c, labels: a smooth term, a step, an interaction, informative missing values, and groups of categories."""
    random = Lcg(seed)
    out, labels, targets = [], [], []
    for _ in range(rows):
        x0, x1, x2, x3, x4 = (random.uniform() for _ in range(5))
        x2 = math.floor(10 * x2)
        c = math.floor(CATEGORIES * random.uniform())
        missing = random.uniform() < (0.3 if x0 > 0.5 else 0.05)
        z = 3 * x0 - 1.5 + (1.2 if x1 > 0.6 else -0.4) + (0.3 * x2 - 1.4) * (1 if x3 > 0.5 else -1)
        z = z + (0.9 if c % 3 == 0 else -0.5)
        p = 0.5 + 0.5 * z / (1 + abs(z))
        labels.append(1 if random.uniform() < p else 0)
        targets.append(z + 2 * random.uniform() - 1)
        out.append([x0, float("nan") if missing else x1, x2, x3, x4, c])
    return np.array(out), np.array(labels), np.array(targets)


BASE = dict(
    learning_rate=0.1, num_leaves=15, min_data_in_leaf=20, min_sum_hessian_in_leaf=1e-3, lambda_l2=1, max_bin=255,
    min_data_in_bin=1, feature_fraction=1, bagging_fraction=1, verbose=-1, seed=1, deterministic=True, num_threads=1,
    cat_l2=10, cat_smooth=10, min_data_per_group=50, max_cat_threshold=32, max_cat_to_onehot=1, feature_pre_filter=False,
)


def boosting():
    x, y, t = make(1, 5000)
    vx, vy, _ = make(2, 3000)
    tx, ty, tt = make(3, 5000)
    cases = {}
    for name, columns, categorical in (("numeric", [0, 1, 2, 3, 4], []), ("categorical", [0, 1, 2, 3, 4, 5], [5])):
        data = lambda a, b: lightgbm.Dataset(a[:, columns], b, categorical_feature=categorical)
        fit = lightgbm.train({**BASE, "objective": "binary"}, data(x, y), 100)
        p = fit.predict(tx[:, columns])
        train_set = data(x, y)
        stopped = lightgbm.train(
            {**BASE, "objective": "binary"}, train_set, 500,
            valid_sets=[lightgbm.Dataset(vx[:, columns], vy, categorical_feature=categorical, reference=train_set)],
            callbacks=[lightgbm.early_stopping(20, verbose=False)],
        )
        cases[name] = dict(
            trainLogLoss=metrics.log_loss(y, fit.predict(x[:, columns])),
            testLogLoss=metrics.log_loss(ty, p), testAuc=metrics.roc_auc_score(ty, p),
            stoppedTrees=stopped.best_iteration, stoppedLogLoss=stopped.best_score["valid_0"]["binary_logloss"],
            firstRows=list(p[:5]),
        )
    fit = lightgbm.train({**BASE, "objective": "regression"}, lightgbm.Dataset(x[:, :5], t), 100)
    squared = dict(trainError=metrics.mean_squared_error(t, fit.predict(x[:, :5])), testError=metrics.mean_squared_error(tt, fit.predict(tx[:, :5])))
    checks = dict(sum=float(np.nansum(x)), missing=int(np.isnan(x).sum()), ones=int(y.sum()), targets=float(t.sum()))
    return dict(lightgbm=lightgbm.__version__, checks=checks, **cases, squared=squared)


def scores(seed, rows, ties):
    random = Lcg(seed)
    p, y = [], []
    for _ in range(rows):
        s = random.uniform()
        p.append(math.floor(s * ties) / ties)
        y.append(1 if random.uniform() < 0.1 + 0.6 * s else 0)
    return np.array(p), np.array(y)


def expected_calibration_error(p, y, bins):
    b = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
    return float(sum(abs(y[b == k].mean() - p[b == k].mean()) * (b == k).mean() for k in range(bins) if (b == k).any()))


def metric_cases():
    cases = []
    for seed, rows, ties in ((11, 1000, 64), (12, 777, 7), (13, 5000, 1048576), (14, 10, 4)):
        p, y = scores(seed, rows, ties)
        h = (p >= 0.5).astype(int)
        q = np.clip(p, 1e-6, 1 - 1e-6)
        cases.append(dict(
            seed=seed, rows=rows, ties=ties, auc=metrics.roc_auc_score(y, p), logLoss=metrics.log_loss(y, q), brier=metrics.brier_score_loss(y, p),
            accuracy=metrics.accuracy_score(y, h), precision=metrics.precision_score(y, h, zero_division=0),
            recall=metrics.recall_score(y, h, zero_division=0), f1=metrics.f1_score(y, h, zero_division=0),
            calibrationError=expected_calibration_error(p, y, 10),
        ))
    return dict(sklearn=sklearn.__version__, cases=cases)


def calibration():
    p, y = scores(21, 2000, 256)
    s = 8 * p - 5
    platt = _SigmoidCalibration().fit(s, y)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(s, y)
    at = [-6, -5, -4.1, -2.77, -1, 0, 0.5, 1.23, 2.5, 2.96, 4]
    return dict(sklearn=sklearn.__version__, platt=dict(a=-float(platt.a_), b=-float(platt.b_)), at=at, isotonic=[float(v) for v in isotonic.predict(np.array(at))])


def write(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


write(HERE / "boosting.json", boosting())
write(HERE.parent.parent / "metrics" / "parity" / "metrics.json", metric_cases())
write(HERE.parent.parent / "calibration" / "parity" / "calibration.json", calibration())
