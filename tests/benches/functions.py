"""How long a function takes from its start to its first event, what memory it has by then, and how large it is.

    python tests/benches/functions.py target/lambda

A Runtime API of one endpoint stands in for Lambda's: the clock stops when the function asks for its first event. What
Lambda itself adds (an environment, the download) is not in these figures.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from socket import create_server

PACKAGES = ["ingest-metrics", "refit-coefficient", "sweep-policies", "publish-recommendation"]
STARTS = 21
GOAL_MS, GOAL_ZIP_MB = 10, 5


def variables(port: int) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "ARCHIVE_BUCKET": "archive", "ENVIRONMENTS": "web-prod", "LOOKBACK_DAYS": "14", "CPU_CEILING_PERCENT": "50",
        "TOPIC_ARN": "arn:aws:sns:eu-central-1:000000000000:advice",
    }


def start(bootstrap: Path) -> tuple[float, float]:
    """Milliseconds to the first request for an event, and megabytes at its peak so far."""
    with create_server(("127.0.0.1", 0)) as server:
        began = time.perf_counter()
        process = subprocess.Popen([bootstrap], env=variables(server.getsockname()[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.settimeout(10)
            connection, _ = server.accept()
            request = connection.recv(4096)
            took = (time.perf_counter() - began) * 1e3
            assert b"/runtime/invocation/next" in request, request
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            connection.close()
        finally:
            process.kill()
            process.wait()
    return took, peak / 1024


def zipped_megabytes(bootstrap: Path) -> float:
    with tempfile.NamedTemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(bootstrap, "bootstrap")
        return Path(file.name).stat().st_size / 1e6


def main():
    directory = Path(sys.argv[1])
    print(f"{'function':<26}{'start, ms':>11}{'slowest':>9}{'memory, MB':>12}{'size, MB':>10}{'zipped':>8}")
    for package in PACKAGES:
        bootstrap = directory / package / "bootstrap"
        starts = [start(bootstrap) for _ in range(STARTS)]
        times = sorted(took for took, _ in starts)
        memory = max(peak for _, peak in starts)
        size, zipped = bootstrap.stat().st_size / 1e6, zipped_megabytes(bootstrap)
        median = statistics.median(times)
        print(f"{package:<26}{median:>11.1f}{times[-1]:>9.1f}{memory:>12.1f}{size:>10.1f}{zipped:>8.1f}")
    print(f"goals: start under {GOAL_MS} ms, zipped under {GOAL_ZIP_MB} MB")


if __name__ == "__main__":
    main()
