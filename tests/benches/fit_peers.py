"""Times our whole fit beside what statsmodels and scikit-learn do of it: a robust line, and its bootstrap over days.

The peers are given load and CPU already paired. They draw as many samples of days as we do, and run as few of them as
keep this short; the time of the rest is reckoned from those. We also look for a lag, a ceiling, a change and a bend,
and count what can't be used.
"""

import csv
import io
import json
import subprocess
import sys
import time

import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import HuberRegressor, TheilSenRegressor

RESAMPLES = 1000
# Days, runs of ours, and samples that each peer really draws.
SIZES = [(14, 9, 20), (90, 5, 5)]


def tukey(load, cpu):
    return sm.RLM(cpu, sm.add_constant(load), M=sm.robust.norms.TukeyBiweight()).fit().params[1]


def huber(load, cpu):
    # It wants numbers of about one.
    return HuberRegressor(alpha=0).fit(load[:, None] / load.mean(), cpu).coef_[0] / load.mean()


def theil_sen(load, cpu):
    return TheilSenRegressor(random_state=1).fit(load[:, None], cpu).coef_[0]


def peer(fit, load, cpu, day, runs):
    days = np.unique(day)
    of_day = [np.flatnonzero(day == one) for one in days]
    random = np.random.default_rng(1)
    start = time.perf_counter()
    coefficient = fit(load, cpu)
    once = time.perf_counter() - start
    redrawn, start = [], time.perf_counter()
    for _ in range(runs):
        rows = np.concatenate([of_day[i] for i in random.integers(0, len(days), len(days))])
        redrawn.append(fit(load[rows], cpu[rows]))
    each = (time.perf_counter() - start) / runs
    return once + each * RESAMPLES, coefficient, 1.96 * np.std(redrawn, ddof=1)


def main(ours):
    print(f"{'days':>5}  {'tool':<34} {'seconds':>10}  {'against ours':>12}  coefficient")
    for days, runs, drawn in SIZES:
        answer = subprocess.run([ours, "time", str(days), str(runs)], check=True, capture_output=True, text=True)
        fit = json.loads(answer.stdout)
        half = (fit["high"] - fit["low"]) / 2
        print(f"{days:>5}  {fit['tool']:<34} {fit['seconds']:>10.4f}  {'':>12}  {fit['coefficient']:.5f} ± {half:.5f}")
        text = subprocess.run([ours, "points", str(days)], check=True, capture_output=True, text=True).stdout
        rows = np.array([[float(cell) for cell in row] for row in list(csv.reader(io.StringIO(text)))[1:]])
        load, cpu, day = rows.T
        peers = {"statsmodels RLM, Tukey's biweight": tukey, "scikit-learn HuberRegressor": huber,
                 "scikit-learn TheilSenRegressor": theil_sen}
        for name, fitter in peers.items():
            seconds, coefficient, half = peer(fitter, load, cpu, day, drawn)
            ratio = seconds / fit["seconds"]
            print(f"{days:>5}  {name:<34} {seconds:>10.1f}  {ratio:>11,.0f}x  {coefficient:.5f} ± {half:.5f}")


main(*sys.argv[1:])
