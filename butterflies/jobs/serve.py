"""Show a rendered map in the browser.

    butterflies serve site=runs/render/.../site
    butterflies serve site=demo/map/site port=8080

Listens on 127.0.0.1 only; Ctrl-C ends it. On the web any host of plain files will do.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.rendering.serve import ServeSettings, run
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("serve", ServeSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("serve", serve, arguments)


def serve(config: DictConfig) -> None:
    run(settings_from(config, ServeSettings))
