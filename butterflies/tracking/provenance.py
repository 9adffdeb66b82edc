"""Where a result comes from: settings, inputs, versions, times; and its fingerprint.

A fingerprint is a hash of the settings that matter, of the inputs' fingerprints and of the
room's VERSION number. Two results with one fingerprint are the same result.
"""

import hashlib
import json
import platform
import resource
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from butterflies.files import read_json, write_json

PATH_KEYS = (
    "collection",
    "out",
    "photos",
    "records",
    "media",
    "masks",
    "keep_masks",
    "segmenter",
    "autoencoder",
    "map",
    "archive",
    "codes",
    "ids",
    "positions",
    "add_to",
    "align_to",
)
"""Settings whose value is a path: an input counts by its content, never by its place."""

IGNORED_KEYS = (*PATH_KEYS, "force", "workers", "logger", "port", "block_px", "compute")
"""Settings that change where and how fast a result is made, not the result."""

KNOWN_BY = ("job", "fingerprint", "wandb_id", "wandb_artifact")
"""What tells of an ancestor which one it was."""

PACKAGES = (
    "butterflies",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "hydra-core",
    "omegaconf",
    "wandb",
    "numpy",
    "scipy",
    "pillow",
    "pyarrow",
    "scikit-learn",
    "umap-learn",
    "openTSNE",
)


def plain(value: Any) -> Any:
    """`value` in JSON's types; a dataclass carries its class name, which is a choice too."""
    if is_dataclass(value) and not isinstance(value, type):
        fields = {k: plain(getattr(value, k)) for k in asdict(value)}
        return {"class": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


def hash_of(value: Any) -> str:
    """16 hex digits that stand for `value` (anything `plain` takes)."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(settings: Any, inputs: Mapping[str, str], version: int) -> str:
    """The fingerprint of a result.

    Args:
        settings: a dataclass or mapping; IGNORED_KEYS are left out at its top level.
        inputs: name -> fingerprint of everything read.
        version: the room's VERSION, raised when the same input gives another result.
    """
    kept = {k: v for k, v in plain(settings).items() if k not in IGNORED_KEYS}
    return hash_of({"settings": kept, "inputs": dict(inputs), "version": version})


def read_provenance(folder: Path) -> dict[str, Any]:
    """The folder's provenance, empty when it has none or a broken one."""
    try:
        found = read_json(folder / "provenance.json")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def lineage(sources: Iterable[Path]) -> list[dict[str, Any]]:
    """What a result was made from, and what that was made from, the oldest first.

    Each has `where` it lay, whether it was used `direct`ly, and from its own provenance, as far as
    there is one: `job`, `fingerprint`, `wandb_id` (its run in W&B), `wandb_artifact`.

    Args:
        sources: folders of results, or files in them.
    """
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        known = read_provenance(source.parent if source.is_file() else source)
        for ancestor in _ancestors(known):
            found.setdefault(ancestor["where"], {**ancestor, "direct": False})
        where = str(source.resolve())
        told = {name: known[name] for name in KNOWN_BY if known.get(name)}
        found[where] = {"where": where, "direct": True, **told}
    return list(found.values())


def _ancestors(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lineage of a provenance, as far as it can be read."""
    told = known.get("lineage")
    entries = told if isinstance(told, list) else []
    return [one for one in entries if isinstance(one, dict) and isinstance(one.get("where"), str)]


def begin(job: str, settings: Any, inputs: Mapping[str, str], mark: str) -> dict[str, Any]:
    """The provenance of a result that is being made."""
    return {
        "job": job,
        "status": "running",
        "fingerprint": mark,
        "settings": plain(settings),
        "inputs": dict(inputs),
        "versions": versions(),
        "git_commit": git_commit(),
        "started": _now(),
        "timings": {},
    }


def finish(provenance: dict[str, Any], folder: Path) -> None:
    """Marks the result finished and writes `provenance.json`, the last file of a result."""
    provenance["status"] = "finished"
    provenance["finished"] = _now()
    provenance["peak_memory_mb"] = peak_memory_mb()
    write_json(folder / "provenance.json", provenance)


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout this package runs from, with `+` when it has changes."""
    home = Path(__file__).parent
    command = ["git", "-C", str(home), "describe", "--always", "--dirty=+", "--abbrev=40"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip() or None


def peak_memory_mb() -> float:
    """Largest resident set of this process or of one of its finished children so far, in MB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return round(max(resource.getrusage(w).ru_maxrss for w in who) / 1024, 1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
