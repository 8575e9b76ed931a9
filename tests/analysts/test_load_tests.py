"""What `trellis shape` writes for Locust and k6: that it is the shape, that a name stays text, and that Locust follows it."""

import ast
import bisect
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, trellis

HOSTILE = "\"; import os; os.abort() #\u2028'''\"\"\" */ ${__ENV.TARGET} \\\" {shape} </script> naïve 🌱"
SECONDS = 60
# A rise, a hold, a dip and a second rise, a fall; a minute is played in a second.
STAGES = "15:6000,10:6000,10:1500,10:4500,15:0"


def runs_javascript():
    """Node, to load what k6 would. Under CI it must be there."""
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):
        pytest.skip("node is not installed: what is written for k6 was not loaded")
    assert node, "node is not installed"
    return node


def load_k6(directory: Path, name: str) -> dict:
    """Loads a script with stand-ins for what k6 brings along, asks once, and tells what it exports."""
    (directory / "package.json").write_text('{"type": "module"}')
    stub = directory / "node_modules/k6"
    stub.mkdir(parents=True, exist_ok=True)
    (stub / "package.json").write_text('{"name": "k6", "type": "module", "exports": {"./http": "./http.js"}}')
    (stub / "http.js").write_text("export default { get: (url) => globalThis.asked.push(url) };")
    (directory / "load.js").write_text(f"""
globalThis.asked = [];
globalThis.__ENV = {{}};
const script = await import('./{name}');
let refused = null;
try {{ script.setup(); }} catch (error) {{ refused = error.message; }}
globalThis.__ENV = {{ TARGET: 'http://127.0.0.1:1' }};
script.setup();
script.default();
const {{ SHAPE, options, scenario }} = script;
console.log(JSON.stringify({{ SHAPE, options, scenario, refused, asked: globalThis.asked }}));
""")
    done = subprocess.run([runs_javascript(), "load.js"], cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def seconds(duration: str) -> float:
    units = {"ms": 0.001, "s": 1, "m": 60}
    number = duration.rstrip("ms")
    return float(number) * units[duration[len(number):]]


def requests_by(stages: list[dict], start: float, until: float) -> float:
    """Requests that k6's stages ask for up to a second: the area under its lines."""
    total, begin, rate = 0.0, 0.0, start
    for stage in stages:
        length = seconds(stage["duration"])
        share = min(1, max(0, (until - begin) / length)) if length else 0
        total += length / 60 * share * (rate + (stage["target"] - rate) * share / 2)
        begin, rate = begin + length, stage["target"]
    return total


def constants(text: str) -> dict:
    """What a Python file assigns to names, read and not run."""
    tree = ast.parse(text)
    plain = [node for node in tree.body if isinstance(node, ast.Assign) and not isinstance(node.value, ast.ListComp)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in plain}


@pytest.fixture(scope="module")
def day(archive, tmp_path_factory):
    """The busiest day for both testers, and its trace."""
    directory = tmp_path_factory.mktemp("day")
    words = ["shape", "--environment", ENVIRONMENT, "--archive", archive, "--day", "busiest"]
    trace = list(csv.DictReader(io.StringIO(trellis(*words, directory=directory))))
    said = trellis(*words, "--locust", "day.py", "--k6", "day.js", "--speed", 24, "--scale", "0.5", directory=directory)
    return directory, [float(row["requests_per_minute"]) for row in trace], said


def test_k6_is_asked_for_as_many_requests_in_each_minute_as_were_recorded(day):
    directory, trace, _ = day
    script = load_k6(directory, "day.js")
    scenario = script["scenario"]
    assert (scenario["executor"], scenario["timeUnit"]) == ("ramping-arrival-rate", "1m")
    assert script["options"]["scenarios"] == {"traffic": scenario}
    assert sum(seconds(stage["duration"]) for stage in scenario["stages"]) == pytest.approx(3600)
    assert all(isinstance(stage["target"], int) for stage in scenario["stages"])
    assert max(stage["target"] for stage in scenario["stages"]) / 60 <= scenario["maxVUs"]
    assert 1 <= scenario["preAllocatedVUs"] <= scenario["maxVUs"]
    played = 2.5
    ends = [requests_by(scenario["stages"], scenario["startRate"], minute * played) for minute in range(len(trace) + 1)]
    for minute, recorded in enumerate(trace):
        asked = ends[minute + 1] - ends[minute]
        # k6 counts whole requests per minute.
        assert asked == pytest.approx(recorded * 0.5 * played / 60, abs=0.5 * played / 60 + 1e-6), minute
    assert script["asked"] == ["http://127.0.0.1:1/"]
    assert "TARGET" in script["refused"]


def test_locust_is_asked_for_the_same(day):
    directory, trace, said = day
    written = constants((directory / "day.py").read_text())
    legs, ends = written["LEGS"], [end for end, _, _ in written["LEGS"]]
    for minute, recorded in enumerate(trace):
        _, first, last = legs[bisect.bisect_right(ends, minute * 2.5 + 1)]
        assert first == last == pytest.approx(recorded * 0.5), minute
    assert ends[-1] == 3600
    shape = f"{ENVIRONMENT}, the busiest day, 2026-11-11, 24 times as fast, 0.5 times the requests"
    assert written["SHAPE"] == shape and said.startswith(f"{shape}:\n  60.0 minutes, up to ")
    assert "locust --locustfile day.py --host" in said and "k6 run -e TARGET" in said


def test_stages_stay_the_lines_that_they_are(tmp_path):
    trellis("shape", "10:30000,8:150000,30:150000", "--k6", "launch.js", directory=tmp_path)
    scenario = load_k6(tmp_path, "launch.js")["scenario"]
    assert scenario["startRate"] == 0
    assert scenario["stages"] == [{"duration": "10m", "target": 30000}, {"duration": "8m", "target": 150000},
                                  {"duration": "30m", "target": 150000}]


def test_a_hostile_name_stays_text_in_both_languages(tmp_path):
    rows = "".join(f"2026-11-02T00:{minute:02}:00Z,{600 + minute},10,2\n" for minute in range(30))
    (tmp_path / "m.csv").write_text("timestamp,requests,cpu_percent,in_service\n" + rows)
    trellis("ingest", "--environment", HOSTILE, "--metrics", "m.csv", directory=tmp_path)
    trellis("shape", "--environment", HOSTILE, "--day", "2026-11-02", "--locust", "shape.py", "--k6", "shape.js",
            directory=tmp_path)
    expected = f"{HOSTILE}, 2026-11-02"
    python, javascript = [(tmp_path / f"shape.{end}").read_text() for end in ["py", "js"]]
    assert python.isascii() and javascript.isascii()
    assert constants(python)["SHAPE"] == expected
    assert load_k6(tmp_path, "shape.js")["SHAPE"] == expected
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "m.csv").write_text((tmp_path / "m.csv").read_text())
    trellis("ingest", "--environment", "web", "--metrics", "m.csv", directory=plain)
    trellis("shape", "--environment", "web", "--day", "2026-11-02", "--locust", "shape.py", directory=plain)
    others = [line for line in (plain / "shape.py").read_text().splitlines() if not line.startswith("SHAPE")]
    assert [line for line in python.splitlines() if not line.startswith("SHAPE")] == others


class Counter:
    """A server on loopback that notes when it is asked."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[float] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"GET "):
                    self.asked.append(time.monotonic())
                if line == b"\r\n":
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def strayed(measured: list[float], expected: list[float], within_share: float, within: float) -> list[str]:
    """The parts in which a measured count is further from the expected one than both allow."""
    pairs = enumerate(zip(measured, expected))
    return [f"part {part}: {count} requests, not {wanted:.0f}" for part, (count, wanted) in pairs
            if abs(count - wanted) > max(within_share * wanted, within)]


def expected_parts(text: str, parts: int) -> list[float]:
    legs = [(0, 0, 0), *constants(text)["LEGS"]]
    stages = [{"duration": f"{end - before[0]}s", "target": last} for before, (end, _, last) in zip(legs, legs[1:])]
    ends = [requests_by(stages, legs[1][1], SECONDS * part / parts) for part in range(parts + 1)]
    return [after - before for before, after in zip(ends, ends[1:])]


def test_locust_follows_the_shape_through_its_rise_its_dip_and_its_fall(tmp_path):
    trellis("shape", STAGES, "--speed", 60, "--locust", "shape.py", directory=tmp_path)
    expected = expected_parts((tmp_path / "shape.py").read_text(), 12)
    counter = Counter()
    words = ["--locustfile", "shape.py", "--host", counter.url, "--headless", "--only-summary"]
    done = subprocess.run([str(Path(sys.executable).parent / "locust"), *words], cwd=tmp_path, capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "where the shape asks for" in done.stderr
    begin = counter.asked[0] - first_after(expected)
    # A busy machine is late as a whole, from the second request on.
    shifted = [counted(counter.asked, begin + late / 10) for late in range(11)]
    measured = min(shifted, key=lambda counts: sum(abs(count - wanted) for count, wanted in zip(counts, expected)))
    print("\nrequests in each 5 s, measured against the shape:", list(zip(measured, map(round, expected))))
    assert strayed(measured, expected, 0.10, 25) == []
    assert sum(measured) == pytest.approx(sum(expected), rel=0.04)
    # The same comparison sees a shape that is late by one part, and one that is less by a quarter.
    assert strayed([0, *measured[:-1]], expected, 0.10, 25)
    assert strayed([count * 0.75 for count in measured], expected, 0.10, 25)


def counted(asked: list[float], begin: float) -> list[int]:
    """Requests in each twelfth of the minute after `begin`."""
    return [sum(begin + 5 * part <= at < begin + 5 * part + 5 for at in asked) for part in range(12)]


def first_after(expected: list[float]) -> float:
    """Seconds until the first request on a rise from nothing: the area under the line is 1 by then."""
    return 5 * (1 / expected[0]) ** 0.5


def test_a_target_that_is_too_slow_is_a_failure_that_says_so(tmp_path):
    trellis("shape", "4:6000", "--speed", 60, "--locust", "shape.py", directory=tmp_path)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    words = ["--locustfile", "shape.py", "--host", url, "--headless", "--only-summary"]
    done = subprocess.run([str(Path(sys.executable).parent / "locust"), *words], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 1 and "the shape was not followed" in done.stderr, done.stderr


def test_a_file_that_somebody_else_wrote_is_left_alone(tmp_path):
    (tmp_path / "locustfile.py").write_text("# mine\n")
    command = [os.environ["TRELLIS"], "shape", "5:600", "--locust", "locustfile.py", "--k6", "new.js"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "was not written by `trellis shape`" in done.stderr
    assert (tmp_path / "locustfile.py").read_text() == "# mine\n" and not (tmp_path / "new.js").exists()
