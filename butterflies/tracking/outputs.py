"""A job's output folder: found again when nothing changed, resumed when killed, swapped in whole.

with output("embed", settings, inputs, VERSION) as made:
    if not made.finished:
        with made.stage("encoding"):
            write_table(made.folder / "codes.parquet", ...)
return made.place
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from butterflies.errors import UserError
from butterflies.files import lock, swap_in, write_json
from butterflies.tracking import provenance as prov
from butterflies.tracking.console import say


@dataclass
class Output:
    """An output being made.

    Attributes:
        place: where the result lies in the end.
        folder: where to write now; another folder only while an older result is replaced.
        finished: the result is there already, there is nothing to do.
        provenance: what `provenance.json` will say; add scores or notes of the job's own.
    """

    place: Path
    folder: Path
    finished: bool
    provenance: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return str(self.provenance["fingerprint"])

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a part of the job; a resumed job adds to what it spent before."""
        start = time.perf_counter()
        yield
        timings = self.provenance["timings"]
        timings[name] = round(timings.get(name, 0.0) + time.perf_counter() - start, 2)
        self.save()

    def save(self) -> None:
        """Writes what `provenance` says now, so that a killed job finds it again."""
        write_json(self.folder / "provenance.json", self.provenance)


@contextmanager
def output(
    job: str,
    settings: Any,
    inputs: Mapping[str, str],
    version: int,
    place: Path | None = None,
    sources: Sequence[Path] = (),
) -> Iterator[Output]:
    """Opens the output of a job for writing.

    Args:
        job: its name, the folder below `runs/`.
        settings: its dataclass, with the fields `out` and `force`.
        inputs: name -> fingerprint of everything it reads.
        version: the room's VERSION.
        place: a fixed place that goes before `settings.out`.
        sources: the folders or files it is made from, for its lineage.

    Raises:
        UserError: the folder is somebody else's, or another process writes it.
    """
    mark = prov.fingerprint(settings, inputs, version)
    wanted = place or (Path(settings.out) if settings.out else None)
    place = wanted or _same(job, mark, settings.force) or _new(job)
    with ExitStack() as held:
        try:
            held.enter_context(lock(place))
        except OSError as error:
            raise UserError(
                f"{place} cannot be written ({error.strerror}): give another out=."
            ) from None
        made = _open(job, settings, inputs, mark, place)
        if made.finished:
            say(f"Nothing changed: {place} is up to date (force=true makes it anew).")
            yield made
            return
        made.provenance["lineage"] = prov.lineage(sources)
        made.save()
        yield made
        prov.finish(made.provenance, made.folder)
        if made.folder != made.place:
            swap_in(made.folder, made.place)
            made.folder = made.place


def _open(job: str, settings: Any, inputs: Mapping[str, str], mark: str, place: Path) -> Output:
    there = prov.read_provenance(place)
    same = there.get("fingerprint") == mark and not settings.force
    if there.get("status") == "finished" and same:
        return Output(place, place, True, there)
    if there.get("job", job) != job:
        raise UserError(
            f"{place} holds what `butterflies {there['job']}` made, which this would replace: "
            "give another out=, or delete it yourself."
        )
    if place.exists() and not place.is_dir():
        raise UserError(f"{place} is a file: give out= a folder.")
    if not there and place.is_dir() and any(place.iterdir()):
        raise UserError(
            f"{place} is not empty and was not made by `butterflies {job}`: "
            "give another out=, or empty it yourself."
        )
    folder = place if same or not there else place.with_name(f".{place.name}.new")
    begun = prov.read_provenance(folder)
    if begun.get("fingerprint") == mark and begun.get("status") == "running":
        say(f"Going on where {place} was stopped.")
        return Output(place, folder, False, begun)
    _empty(folder)
    return Output(place, folder, False, prov.begin(job, settings, inputs, mark))


def _empty(folder: Path) -> None:
    """Clears what an older, abandoned attempt left behind under the temporary name."""
    if folder.name.endswith(".new"):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _same(job: str, mark: str, force: bool) -> Path | None:
    """The newest run of this job with this fingerprint."""
    if force:
        return None
    runs = sorted(Path("runs", job).glob("*/provenance.json"), reverse=True)
    same = (r.parent for r in runs if prov.read_provenance(r.parent).get("fingerprint") == mark)
    return next(same, None)


def _new(job: str) -> Path:
    """A folder that no other process takes: the jobs of a sweep may start in the same second."""
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        place = Path("runs", job, name if number == 1 else f"{name}-{number}")
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            place.mkdir()
            break
    return place
