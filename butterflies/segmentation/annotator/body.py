"""Opens the annotator on this machine, and to nobody else."""

import getpass
import secrets
import webbrowser
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from butterflies.errors import UserError
from butterflies.listening import HOST, NAMES, listen
from butterflies.segmentation.annotator.app import app
from butterflies.segmentation.annotator.desk import Desk
from butterflies.segmentation.annotator.store import Store
from butterflies.tracking.artifacts import checkpoint
from butterflies.tracking.console import say


@dataclass
class AnnotateSettings:
    """Settings of `butterflies annotate`."""

    collection: str
    """The collection's folder."""
    segmenter: str | None = None
    """A segmenter's checkpoint (a path, or wandb:entity/project/name:alias): it proposes masks and
    says which photographs need one most."""
    order: str = "worst"
    """Which photographs come first: `worst` (for the segmenter; without one, `unlabelled`),
    `unlabelled`, `random` or `name`."""
    who: str | None = None
    """Who annotates, as written into masks.csv; the login name when not given."""
    port: int = 0
    """0 takes any that is free."""
    open: bool = True
    """Open the page in the browser."""
    seed: int = 0
    """Of the orders' chance."""


def annotate(settings: AnnotateSettings) -> None:
    """Serves the annotator until Ctrl-C.

    Raises:
        UserError: there are no records, the segmenter cannot be used, or the port cannot be had.
    """
    model = checkpoint(settings.segmenter) if settings.segmenter else None
    store = Store(Path(settings.collection), _who(settings))
    desk = Desk(store, model, settings.seed, settings.order)
    token = secrets.token_urlsafe(32)
    with listen(settings.port) as listening:
        port = listening.getsockname()[1]
        address = f"http://{HOST}:{port}/?token={token}"
        say(f"The annotator is at {address} (Ctrl-C ends).")
        ours = app(desk, [f"{name}:{port}" for name in NAMES], token)
        config = uvicorn.Config(
            ours, log_level="warning", lifespan="off", server_header=False, ws="none"
        )
        desk.start()
        if settings.open:
            webbrowser.open(address)  # it may connect before the server answers: the socket listens
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            say("")
        finally:
            desk.stop()
    say(_closing(store, settings))


def _who(settings: AnnotateSettings) -> str:
    if settings.who is not None:
        return settings.who
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise UserError("Your login name is not known here: give who=NAME.") from None


def _closing(store: Store, settings: AnnotateSettings) -> str:
    overview = store.overview()
    return (
        f"{store.collection}: {len(overview.masks)} masks of {len(store.rows)} photographs, "
        f"{len(overview.drafts)} drafts.\n"
        f"Next: python train.py experiment=segmenter collection={settings.collection}"
    )
