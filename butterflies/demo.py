"""The whole way on drawn specimens: the same calls that a museum's photographs take."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from butterflies.collection import folder
from butterflies.collection.drawn import draw
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.data import Cutouts
from butterflies.files import write_json
from butterflies.mapping import embedding
from butterflies.quality import Quality, quality
from butterflies.rendering import render
from butterflies.rendering.settings import RenderSettings
from butterflies.rendering.site import SiteSettings
from butterflies.segmentation import cutouts
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.segmenter import Segmenter
from butterflies.tracking.console import say
from butterflies.tracking.fit import fit
from butterflies.tracking.settings import FitSettings

WORKING_PX = 320
"""Smaller than usual: twice as fast, and sharp enough for drawn wings."""


@dataclass
class DemoSettings:
    """Settings of the demo."""

    out: str = "demo"
    specimens: int = 600
    seed: int = 0
    segmenter_epochs: int = 20
    autoencoder_epochs: int = 28
    workers: int = 0
    """Processes; 0 = one a core."""


def run(settings: DemoSettings) -> Path:
    """Walks the whole way; returns the folder of the rendered map."""
    place = Path(settings.out)
    collection = place / "collection"
    _collect(settings, place, collection)
    segmenter = _train_segmenter(settings, place, collection)
    say("Cutting out")
    cutouts.run(
        cutouts.CutoutSettings(
            str(collection), str(segmenter / "best.ckpt"), workers=settings.workers
        )
    )
    autoencoder = _train_autoencoder(settings, place, collection)
    embedded = _embed(settings, place, collection, autoencoder)
    made = _render(settings, place, embedded)
    found = quality(collection, segmenter, autoencoder, embedded)
    write_json(place / "quality.json", found.__dict__)
    _report(found)
    return made


def _collect(settings: DemoSettings, place: Path, collection: Path) -> None:
    say(f"Drawing {settings.specimens} specimens")
    drawn = draw(place / "drawn", settings.specimens, settings.seed, settings.workers)
    folder.run(
        folder.FolderSettings(
            collection=str(collection),
            photos=str(drawn / "photos"),
            records=str(drawn / "records.csv"),
            masks=str(drawn / "masks"),
            workers=settings.workers,
        )
    )


def _train_segmenter(settings: DemoSettings, place: Path, collection: Path) -> Path:
    say("Training the segmenter on the masks")
    return fit(
        FitSettings(
            model=partial(Segmenter, working_px=WORKING_PX, lr=5e-3),
            data=MaskedPhotographs(
                str(collection),
                working_px=WORKING_PX,
                crop_px=192,
                repeats=1,
                seed=settings.seed,
            ),
            monitor="val/iou",
            mode="max",
            trainer={
                "max_epochs": settings.segmenter_epochs,
                "log_every_n_steps": 5,
                "precision": "auto",
            },
            out=str(place / "segmenter"),
            seed=settings.seed,
        )
    )[0]


def _train_autoencoder(settings: DemoSettings, place: Path, collection: Path) -> Path:
    say("Training the autoencoder on the cut-outs")
    return fit(
        FitSettings(
            model=partial(Autoencoder, network="dictionary", encoder_lr=0.0),
            data=Cutouts(str(collection), seed=settings.seed),
            monitor="val/l1",
            mode="min",
            trainer={"max_epochs": settings.autoencoder_epochs, "log_every_n_steps": 5},
            out=str(place / "autoencoder"),
            seed=settings.seed,
        )
    )[0]


def _embed(settings: DemoSettings, place: Path, collection: Path, autoencoder: Path) -> Path:
    say("Encoding, and laying the codes out on a plane")
    return embedding.run(
        embedding.EmbedSettings(
            collection=str(collection),
            autoencoder=str(autoencoder / "best.ckpt"),
            out=str(place / "embedding"),
            seed=settings.seed,
            workers=settings.workers,
        )
    )


def _render(settings: DemoSettings, place: Path, embedded: Path) -> Path:
    say("Rendering the map")
    site = SiteSettings(title="Drawn butterflies", photographs="copy")
    return render.run(
        RenderSettings(
            map=str(embedded),
            site=site,
            out=str(place / "map"),
            seed=settings.seed,
            workers=settings.workers,
        )
    )


def _report(found: Quality) -> None:
    say(f"Masks: IoU {found.iou:.3f} with the true ones of test specimens")
    say(
        f"Codes: {found.l1:.4f} mean reconstruction error of test specimens; PCA {found.pca_l1:.4f}"
    )
    say(f"Map: {found.knn:.0%} of the genera found by 5 neighbours; by chance {found.chance:.0%}")
