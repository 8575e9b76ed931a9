"""What the tests for analysts and load testers share: the command, and an archive that it filled from the sample."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "invented-garden-prod"


def trellis(*words, directory: Path) -> str:
    """What the command that `TRELLIS` names prints."""
    command = [os.environ["TRELLIS"], *map(str, words)]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """The shipped sample, through the whole chain, and two scaling activities."""
    directory = tmp_path_factory.mktemp("desk")
    trellis("demo", "--directory", directory, directory=directory)
    (directory / "activities.json").write_text(json.dumps({"Activities": [activity(1, 41), activity(2, 47)]}))
    trellis("ingest", "--environment", ENVIRONMENT, "--archive", directory / "archive", "--metrics",
            directory / f"{ENVIRONMENT}.csv", "--activities", directory / "activities.json", directory=directory)
    return directory / "archive"


def activity(hour: int, seconds: int) -> dict:
    return {
        "ActivityId": f"activity-{hour}", "Description": f"Launching a new EC2 instance: i-{hour:017}",
        "Cause": "At 2026-11-03T01:00:00Z a monitor alarm was in state ALARM.",
        "StartTime": f"2026-11-03T{hour:02}:00:00Z", "EndTime": f"2026-11-03T{hour:02}:00:{seconds}Z",
        "StatusCode": "Successful", "AutoScalingGroupName": "group", "Progress": 100,
    }


@pytest.fixture(scope="session")
def advice(archive) -> dict:
    [file] = archive.glob(f"sweeps/environment={ENVIRONMENT}/date=*/recommendation.json")
    return json.loads(file.read_text())
