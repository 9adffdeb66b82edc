"""What every test relies on: a folder and an environment of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from butterflies.tracking import wandb


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test runs in an empty folder; what it does to the environment is undone."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    yield
    wandb.finish(failed=False)
    os.environ.clear()
    os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest comes first, so that no process waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_demo.py")
