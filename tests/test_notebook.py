from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "01_map.ipynb"


def test_the_notebook_runs_to_its_end(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    site = Path(notebook.cells[-1].outputs[0].text.strip())
    assert (site / "map.json").is_file()
    pictures = [o for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    assert len([o for o in pictures if "image/png" in o["data"]]) == 7
