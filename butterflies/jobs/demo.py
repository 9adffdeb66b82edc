"""The whole way on drawn specimens: photographs to a map, minutes on two cores.

    butterflies demo
    butterflies demo specimens=2000 out=big-demo seed=1

Draws specimens, trains a segmenter and an autoencoder on them, cuts out, embeds and renders, and
says how well it went. Everything lies in `out=` (demo/); a demo that was stopped goes on.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.demo import DemoSettings, run
from butterflies.tracking.console import say
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("demo", DemoSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("demo", demo, arguments)


def demo(config: DictConfig) -> None:
    place = run(settings_from(config, DemoSettings))
    say(f"Open the map: butterflies serve site={place / 'site'}")
