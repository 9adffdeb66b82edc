"""Where a run is logged besides its folder; `wandb` does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from butterflies.errors import UserError

MODES = ("offline", "online", "disabled")


@dataclass
class WandbSettings:
    """Where a run is logged besides its folder."""

    mode: str = "offline"
    """offline (`wandb sync` publishes later), online, disabled."""
    project: str = "butterflies"
    entity: str | None = None
    group: str | None = None
    """What belongs together; the jobs of a sweep share its folder's name where none is given."""
    name: str | None = None
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"logger.mode={self.mode} is none of {', '.join(MODES)}.")


def unlogged() -> WandbSettings:
    """The default of jobs that are logged only when asked: `logger=wandb`."""
    return WandbSettings(mode="disabled")


def flattened(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested configuration by the keys that overrides and sweep parameters have.

    >>> flattened({"seed": 0, "model": {"lr": 0.1, "dims": [1, 2]}})
    {'seed': 0, 'model.lr': 0.1, 'model.dims': [1, 2]}
    """
    found: dict[str, Any] = {}
    for name, value in config.items():
        key = f"{prefix}{name}"
        inner = flattened(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
        found |= inner
    return found
