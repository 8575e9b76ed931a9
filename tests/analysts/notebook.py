"""Runs a notebook from top to bottom, as `jupyter execute` does, and hands back what its cells print."""

import os
from pathlib import Path

import nbclient
import nbformat


def execute(notebook, archive: Path):
    """Runs every cell; the first that fails is an error, with its source and message."""
    os.environ |= {"TRELLIS_ARCHIVE": str(archive), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    nbclient.NotebookClient(notebook, timeout=600, startup_timeout=300, kernel_name="python3").execute()
    return notebook


def read(path: Path):
    return nbformat.read(path, as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook) -> list[str]:
    return [output.text for output in outputs(notebook) if output.output_type == "stream" and output.name == "stdout"]


def pictures(notebook) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))
