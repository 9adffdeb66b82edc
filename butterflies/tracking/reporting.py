"""A finished result as a run of W&B: its settings, summary, pictures and files.

What takes its time is done before W&B is asked, so that nothing of it can be lost there; the same
command with `logger=wandb` also logs a result that was there already.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from butterflies.files import lock, write_json
from butterflies.tracking.artifacts import Artifact, log_artifact, use_artifacts
from butterflies.tracking.logger import WandbSettings
from butterflies.tracking.provenance import read_provenance


@dataclass(frozen=True)
class Report:
    """What there is to tell of a result beside its provenance.

    Attributes:
        summary: numbers that sum it up.
        pictures: name -> PNG.
        artifact: what W&B keeps of it.
    """

    summary: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, Path] = field(default_factory=dict)
    artifact: Artifact | None = None


def report(settings: WandbSettings, place: Path, told: Report) -> None:
    """Logs a finished result, unless logging is off.

    The run of W&B has the job as its type, the result's settings as its configuration and stages'
    seconds, peak memory and scores in its summary. The result's provenance keeps its id.

    Args:
        settings: mode, project and so on.
        place: the result's folder.
        told: what else there is to tell.

    Raises:
        UserError: W&B cannot be reached, or not as this user.
    """
    if settings.mode == "disabled":
        return
    with lock(place):
        provenance = read_provenance(place)
        if settings.mode == "offline" and provenance.get("wandb_id"):
            return  # logged already; `wandb sync` publishes it
        _log(settings, place, provenance, told)
        write_json(place / "provenance.json", provenance)


def counts(table: pa.Table, means: Sequence[str] = ()) -> dict[str, float]:
    """Photographs by status, and the mean of some columns: `count/ok`, `mean/damage`."""
    found = {f"count/{k}": float(n) for k, n in Counter(table["status"].to_pylist()).items()}
    for name in means:
        mean = pc.mean(table[name]).as_py()
        found |= {} if mean is None else {f"mean/{name}": float(mean)}
    return found


def _log(settings: WandbSettings, place: Path, provenance: dict[str, Any], told: Report) -> None:
    import wandb  # takes half a second, and is seldom asked for

    from butterflies.tracking.wandb import finish, refusal, run_arguments, run_id

    provenance["wandb_id"] = run_id(provenance.get("wandb_id"))
    job, config = provenance["job"], provenance["settings"]
    try:
        run = wandb.init(**run_arguments(settings, place, provenance["wandb_id"], config, job))
    except wandb.errors.Error as error:
        raise refusal(error) from None
    try:
        use_artifacts(run, provenance.get("lineage", []))
        pictures = {name: path for name, path in told.pictures.items() if path.is_file()}
        run.log({name: wandb.Image(str(path)) for name, path in pictures.items()})
        run.summary.update({**_summary(provenance), **told.summary})
        if told.artifact:
            log_artifact(run, told.artifact, provenance)
    finally:
        finish(failed=False)


def _summary(provenance: Mapping[str, Any]) -> dict[str, float]:
    seconds = {f"seconds/{name}": value for name, value in provenance["timings"].items()}
    memory = {"peak_memory_mb": provenance["peak_memory_mb"]}
    return {**seconds, **memory, **provenance.get("scores", {})}
