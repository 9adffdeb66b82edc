"""Results as W&B artifacts, and checkpoints that are fetched from there.

Artifacts name the files where they lie: nothing is copied. An offline run finds them there when
`wandb sync` publishes it, so that a run folder is to be synced before it is moved or deleted.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butterflies.errors import UserError
from butterflies.files import lock, swap_in, write_json
from butterflies.tracking.console import say

PREFIX = "wandb:"
REFERENCE = re.compile(r"wandb:(\w[\w.-]*)/(\w[\w.-]*)/(\w[\w.-]*):(\w[\w.-]*)")
FETCHED = Path("runs", "fetched")
TOLD = ("job", "fingerprint", "settings", "inputs", "lineage", "scores", "started", "wandb_id")
"""What an artifact tells of a result's provenance, and a fetched one of its own."""


@dataclass(frozen=True)
class Artifact:
    """A result that W&B keeps.

    Attributes:
        name: of the collection of such artifacts in the project.
        type: checkpoint, cutouts, map or site.
        files: are uploaded.
        refers_to: a file that stands for what is too large to upload; only its place is told.
    """

    name: str
    type: str
    files: Sequence[Path] = ()
    refers_to: Path | None = None


def log_artifact(
    run: Any, artifact: Artifact, provenance: dict[str, Any], place: Path | None = None
) -> None:
    """Makes a result an artifact of a run, with the aliases `latest` and the run's id.

    Online, its full name becomes `wandb_artifact` of the provenance. A result is never lost
    because W&B does not take it: that is only said.

    Args:
        run: W&B's run.
        artifact: what there is to keep.
        provenance: of the result.
        place: the folder that the files will lie in when an offline run is synced, if another.
    """
    import wandb

    told = {name: provenance[name] for name in TOLD if name in provenance}
    made = wandb.Artifact(artifact.name, artifact.type, metadata=told)
    for path in artifact.files:
        entry = made.add_file(str(path.absolute()), policy="immutable", skip_cache=True)
        if place and run.offline:
            entry.local_path = str(place.absolute() / path.name)
    if artifact.refers_to:  # a folder would become an entry for each of its files, each tile
        made.add_reference(artifact.refers_to.resolve().as_uri())
    try:
        logged = run.log_artifact(made, aliases=["latest", run.id])
        if not run.offline:
            provenance["wandb_artifact"] = logged.wait().qualified_name
    except (wandb.errors.Error, OSError, ValueError) as error:
        say(f"W&B did not take the artifact {artifact.name} ({error}); it lies in its folder.")


def use_artifacts(run: Any, lineage: Sequence[Mapping[str, Any]]) -> None:
    """Tells W&B what a result was made from, where it knows that; offline it cannot be told."""
    import wandb

    for ancestor in [] if run.offline else lineage:
        if ancestor.get("direct") and ancestor.get("wandb_artifact"):
            try:
                run.use_artifact(ancestor["wandb_artifact"])
            except (wandb.errors.Error, ValueError) as error:
                say(f"W&B does not know {ancestor['wandb_artifact']} any more ({error}).")


def checkpoint(reference: str) -> Path:
    """The file that a checkpoint argument stands for.

    `wandb:entity/project/name:alias` is fetched into `runs/fetched/`, once a version.

    Raises:
        UserError: W&B has no such checkpoint, or cannot be reached.
    """
    if not reference.startswith(PREFIX):
        return Path(reference)
    parts = REFERENCE.fullmatch(reference)
    if not parts:
        raise UserError(
            f"{reference} names no artifact: wandb:entity/project/name:alias is expected, such as "
            "wandb:museum/butterflies/autoencoder:latest."
        )
    entity, project, name, alias = parts.groups()
    version = _folder(entity, project, name, alias)
    if not re.fullmatch(r"v\d+", alias) or not version.is_dir():  # a version never changes
        found = _asked(reference)
        version = _folder(entity, project, name, found.version)
        if not version.is_dir():
            _fetch(found, version, reference)
    return _only_checkpoint(version, reference)


def _folder(entity: str, project: str, name: str, version: str) -> Path:
    return FETCHED / entity / project / f"{name}-{version}"


def _asked(reference: str) -> Any:
    import wandb

    try:
        return wandb.Api().artifact(reference.removeprefix(PREFIX))
    except Exception as error:  # W&B fails in many ways, some of them bare exceptions
        raise _unfetched(reference, error) from None


def _fetch(found: Any, folder: Path, reference: str) -> None:
    new = folder.with_name(f".{folder.name}.new")
    with lock(folder):
        shutil.rmtree(new, ignore_errors=True)
        try:
            found.download(root=str(new), skip_cache=True)
        except Exception as error:
            raise _unfetched(reference, error) from None
        told = {name: found.metadata[name] for name in TOLD if name in found.metadata}
        known = {"status": "finished", **told, "wandb_artifact": found.qualified_name}
        write_json(new / "provenance.json", known)
        swap_in(new, folder)
    say(f"Fetched {reference} into {folder}.")


def _only_checkpoint(folder: Path, reference: str) -> Path:
    found = sorted(folder.rglob("*.ckpt"))
    if len(found) == 1:
        return found[0]
    held = ", ".join(sorted(p.name for p in folder.iterdir() if p.name != "provenance.json"))
    raise UserError(
        f"{reference} holds {len(found)} checkpoints (it holds {held or 'nothing'}): give an "
        "artifact of the type checkpoint, with one file .ckpt."
    )


def _unfetched(reference: str, error: Exception) -> UserError:
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UserError(
        f"{reference} cannot be fetched ({said}): check its name in W&B, the network, and "
        "`wandb login`; or give the path of a checkpoint."
    )
