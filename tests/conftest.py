"""What every test relies on: a folder and an environment of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from butterflies.demo import DemoSettings
from butterflies.demo import run as run_demo
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
    """One process walks the demo, and one each file, so that no fixture is made twice."""
    for item in items:
        walked = "demo" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("demo" if walked else item.path.stem))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, walked once for all tests that look at its results."""
    place = tmp_path_factory.mktemp("demo")
    run_demo(DemoSettings(str(place), specimens=300, segmenter_epochs=26, autoencoder_epochs=45))
    return place
