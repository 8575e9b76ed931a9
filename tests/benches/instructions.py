"""Counts the instructions of the engine's hot loop with callgrind, where there is no clock that could waver, and fails
where there are more than before. The counter knows AVX2, and not AVX-512.

    instructions.py BINARY
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Instructions for each simulated minute of a setting, all of AWS's rules, two days of a noisy trace, passed over where
# nothing can happen. What was counted last, and a little.
AT_MOST = {
    "apart": 1.9,
    "by-the-minute": 2.6,
    "carried": 4.2,
    "any-by-the-minute": 3.8,
    "any": 6.4,
    "fleet-63": 3.3,
    "fleet-255": 5.0,
}


def counted(binary, carried, kinds):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={pathlib.Path(folder) / 'out'}"]
        run = subprocess.run([*command, binary, carried, str(kinds)], check=True, capture_output=True, text=True)
    instructions = re.search(r"Collected : (\d+)", run.stderr).group(1)
    return int(instructions), int(run.stdout)


def main(binary):
    if not shutil.which("valgrind"):
        if "CI" in os.environ:
            sys.exit("valgrind is missing: the instructions can't be counted")
        print("not counted: valgrind is missing")
        return
    for carried, at_most in AT_MOST.items():
        (few, few_minutes), (many, many_minutes) = counted(binary, carried, 1), counted(binary, carried, 3)
        each = (many - few) / (many_minutes - few_minutes)
        print(f"{carried:<18} {each:.2f} instructions a simulated minute, at most {at_most}")
        if each > at_most:
            sys.exit(f"the hot loop takes {each:.2f} instructions a minute in mode `{carried}`, more than {at_most}")


main(*sys.argv[1:])
