"""Draw masks in the browser, the photographs first whose masks a segmenter needs most.

    butterflies annotate collection=data/mine                                   # in no order
    butterflies annotate collection=data/mine segmenter=runs/train/.../best.ckpt  # worst first
    butterflies annotate collection=data/mine order=name who="A. Curator"

Saves `masks/`, `masks.csv`, `judgements.csv` and, of what is not saved yet, `drafts/`. The page
listens on 127.0.0.1 and opens for the printed address only; Ctrl-C ends it.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.segmentation.annotator.body import AnnotateSettings
from butterflies.segmentation.annotator.body import annotate as run
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("annotate", AnnotateSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("annotate", annotate, arguments)


def annotate(config: DictConfig) -> None:
    run(settings_from(config, AnnotateSettings))
