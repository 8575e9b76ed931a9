"""Runs our engine and its Python peers on the same trace in one run, checks that the answers are the same, and prints the
ratios. `sweep_peers.py` holds the peers, and says what each of them does."""

import json
import pathlib
import subprocess
import sys
import tempfile

# Which of our questions a peer answers too.
SAME = {"numba_every": "every_1", "numba_ceiling": "cheapest", "numpy_batch": "every_1",
        "python_loop": "every_1", "pandas_loop": "every_1", "simpy_loop": "every_1"}

PEERS = pathlib.Path(__file__).with_name("sweep_peers.py")
MINUTES, FLEETS = [48, 1_440, 20_160, 129_600], [15, 255]


def run(command):
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in answer.splitlines() if line.startswith("{")]


def compare(ours):
    with tempfile.TemporaryDirectory() as folder:
        rates = {line["tool"]: line["minutes_per_second"] for line in run([ours, "peers", folder])}
        theirs = run([sys.executable, PEERS, folder, "--json"])
    names = {"every_1": "ours, every setting, one-minute points", "every_5": "ours, every setting, five-minute points",
             "cheapest": "ours, the ten cheapest of all, proven"}
    print(f"{'tool':<42} {'threads':>7} {'simulated minutes a second':>27}  {'ours against it':>15}")
    for tool, rate in rates.items():
        print(f"{names[tool]:<42} {1:>7} {rate:>27,.0f}")
    for line in theirs:
        rate, ratio = line["minutes_per_second"], rates[SAME[line["peer"]]] / line["minutes_per_second"]
        print(f"{line['peer']:<42} {line['threads']:>7} {rate:>27,.0f}  {ratio:>14,.0f}x")


def compare_lengths(ours):
    """Every setting to its end, of both periods alike: traces short and long, of groups small and large."""
    traces = [(minutes, fleet) for fleet in FLEETS for minutes in MINUTES]
    with tempfile.TemporaryDirectory() as folder:
        folders = {trace: pathlib.Path(folder, "{}-{}".format(*trace)) for trace in traces}
        rates = {}
        for (minutes, fleet), place in folders.items():
            place.mkdir()
            for line in run([ours, "lengths", place, str(minutes), str(fleet)]):
                rates[place.name, "ours", line["threads"]] = line["minutes_per_second"]
        for line in run([sys.executable, PEERS, *folders.values(), "--only", "numba_every", "pandas_loop", "--json"]):
            rates[line["directory"], line["peer"], line["threads"]] = line["minutes_per_second"]
    print("\nsimulated minutes a second, on one thread and on two; how many times those of the peer on as many")
    print(f"{'minutes':>8} {'fleets to':>9} {'ours, 1':>15} {'ours, 2':>15} {'numba, 1':>18} {'numba, 2':>18} {'pandas, 1':>18}")
    for (minutes, fleet), place in folders.items():
        of = lambda tool, threads: rates.get((place.name, tool, threads), float("nan"))
        cells = [f"{of('ours', threads):>15,.0f}" for threads in (1, 2)]
        for peer, threads in [("numba_every", 1), ("numba_every", 2), ("pandas_loop", 1)]:
            ratio = f"{of('ours', threads) / of(peer, threads):,.0f}x"
            cells.append(f"{of(peer, threads):>12,.0f} {ratio:>5}")
        print(f"{minutes:>8,} {fleet:>9}", *cells)


compare(sys.argv[1])
compare_lengths(sys.argv[1])
