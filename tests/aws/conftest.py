"""What the tests on the local AWS share."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_DATA = ROOT / "../shared/data/public"


def tool(name: str) -> str:
    """A program of the same virtual environment."""
    return str(Path(sys.executable).parent / name)


def tool_environment(**more: str) -> dict[str, str]:
    """For programs that start others of the same virtual environment, and must not call home."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    region = {"AWS_DEFAULT_REGION": "eu-central-1"}
    return os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"} | region | more


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Measurements that are not part of the project. Under CI they must be there."""
    if not PUBLIC_DATA.exists() and not os.environ.get("CI"):
        pytest.skip("the shared data is not beside this checkout")
    return PUBLIC_DATA
