"""Runs our replay and its Python peers on the same traces in one run, in turns, and prints the ratios.

The peers are `talk_sim.py` (pandas, as in the talk) and `talk_sim_numba.py` (compiled), of the bench folder
given; one sweep is the talk's 216 policies, on one core, without stopping early.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 3
# Rows of the trace, as repeats of the talk's 48 minutes; sweeps per round: ours and numba's, and pandas'.
TRACES = [(1, 300, 3), (30, 60, 1), (210, 15, 0)]


def run(command):
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in answer.splitlines() if line.startswith("{")]


def main(peers, ours):
    peers = pathlib.Path(peers)
    if not (peers / "talk_sim.py").exists():
        sys.exit(f"the Python peers are not in `{peers}`: nothing to compare with")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'trace':>8}  {'tool':<22} {'simulated minutes a second':>27}  {'against numba':>13}  {'against pandas':>14}")
        for repeat, sweeps, pandas_sweeps in TRACES:
            trace = pathlib.Path(folder) / "trace.csv"
            shape = [sys.executable, peers / "talk_sim.py", "shape", "--repeat", str(repeat), "--jitter", "20"]
            trace.write_text(subprocess.run(shape, check=True, capture_output=True, text=True).stdout)
            rates = {}
            for _ in range(ROUNDS):
                numba = [sys.executable, peers / "talk_sim_numba.py", "time", trace, "--sweeps", str(sweeps), "--threads", "1"]
                commands = [[ours, trace, str(sweeps)], numba]
                if pandas_sweeps:
                    commands.append([sys.executable, peers / "talk_sim.py", "time", trace, "--sweeps", str(pandas_sweeps)])
                for command in commands:
                    for line in run(command):
                        rates.setdefault(line["tool"], []).append(line["median_simulated_minutes_per_s"])
                        rows = line["rows"]
            show(rows, {tool: statistics.median(values) for tool, values in rates.items()})


def show(rows, rates):
    numba = next(rate for tool, rate in rates.items() if tool.startswith("numba"))
    pandas = rates.get("pandas")
    for tool, rate in rates.items():
        against_pandas = f"{rate / pandas:>13,.0f}x" if pandas else f"{'-':>14}"
        print(f"{rows:>8,}  {tool:<22} {rate:>27,.0f}  {rate / numba:>12.3g}x  {against_pandas}")


main(*sys.argv[1:])
