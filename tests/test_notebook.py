"""The notebook runs as it is written, with smaller numbers."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "01_map.ipynb"
SMALLER = {r"specimens=\d+": "specimens=60", r'"max_epochs": \d+': '"max_epochs": 3'}


def test_the_notebook_runs_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where it works
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for number, smaller in SMALLER.items():
        assert any(re.search(number, cell.source) for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = re.sub(number, smaller, cell.source)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    site = Path(notebook.cells[-1].outputs[0].text.strip())
    assert (site / "map.json").is_file()
    pictures = [o for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    assert len([o for o in pictures if "image/png" in o["data"]]) == 7
