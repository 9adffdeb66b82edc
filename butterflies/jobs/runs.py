"""List the trainings, to choose a checkpoint.

    butterflies runs                                  # below runs/, the newest first
    butterflies runs sort=val/knn_genus_species_out   # the best first
    butterflies runs folder=demo

Shows each training's model, the fingerprint of its data (those of one fingerprint can be compared),
the metrics of its best.ckpt, and where that lies.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.tracking.console import say
from butterflies.tracking.listing import RunsSettings, table, trainings
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("runs", RunsSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("runs", runs, arguments)


def runs(config: DictConfig) -> None:
    settings = settings_from(config, RunsSettings)
    found, broken = trainings(settings)
    say(table(found, settings.sort) if found else f"There is no training below {settings.folder}.")
    if broken:
        say(f"Not shown, their provenance.json is broken: {', '.join(map(str, broken))}.")
