"""The shared suites of the ports, met by the SDK, on a local AWS."""

import subprocess
from datetime import datetime, timezone

from conftest import ROOT, tool_environment
from local_aws import REGION, Environment, LocalAws, World


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-02T{text}:00+00:00").astimezone(timezone.utc)


def test_every_port_keeps_its_promises():
    first = Environment("suite-a", "e-suitea0001", tags={"stage": "suite"})
    first.activities = [
        {"ActivityId": "1", "Description": "Launching a new EC2 instance", "Cause": "an alarm", "Progress": 100,
         "StartTime": at("00:30"), "EndTime": at("00:31"), "StatusCode": "Successful"},
    ]
    first.events = [{"EventDate": at("00:40"), "Message": "Deploying new version to instance(s).", "Severity": "INFO"}]
    gone = Environment("suite-b", "e-suiteb0000", status="Terminated")
    world = World([Environment("suite-b", "e-suiteb0001"), gone, first])
    with LocalAws(world) as local:
        local.client("s3").create_bucket(Bucket="suite", CreateBucketConfiguration={"LocationConstraint": REGION})
        command = ["cargo", "test", "--locked", "--workspace", "--test", "local", "--", "--ignored"]
        done = subprocess.run(
            command, cwd=ROOT, env=tool_environment(**local.variables()), capture_output=True, text=True
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout, done.stdout
