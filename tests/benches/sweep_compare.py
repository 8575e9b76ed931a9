"""Runs our engine and its Python peers on the same trace in one run, checks that the answers are the same, and prints the
ratios. `sweep_peers.py` holds the peers, and says what each of them does."""

import json
import pathlib
import subprocess
import sys
import tempfile

# Which of our questions a peer answers too.
SAME = {"numba_every": "every_1", "numba_ceiling": "cheapest", "numpy_batch": "every_1",
        "python_loop": "every_1", "simpy_loop": "every_1"}


def run(command):
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in answer.splitlines() if line.startswith("{")]


def main(ours):
    peers = pathlib.Path(__file__).with_name("sweep_peers.py")
    with tempfile.TemporaryDirectory() as folder:
        rates = {line["tool"]: line["minutes_per_second"] for line in run([ours, "peers", folder])}
        theirs = run([sys.executable, peers, folder, "--json"])
    names = {"every_1": "ours, every setting, one-minute points", "every_5": "ours, every setting, five-minute points",
             "cheapest": "ours, the ten cheapest of all, proven"}
    print(f"{'tool':<42} {'threads':>7} {'simulated minutes a second':>27}  {'ours against it':>15}")
    for tool, rate in rates.items():
        print(f"{names[tool]:<42} {1:>7} {rate:>27,.0f}")
    for line in theirs:
        rate, ratio = line["minutes_per_second"], rates[SAME[line["peer"]]] / line["minutes_per_second"]
        print(f"{line['peer']:<42} {line['threads']:>7} {rate:>27,.0f}  {ratio:>14,.0f}x")


main(*sys.argv[1:])
