"""What codes know of genus, species and sex, none of which any training sees.

    python benchmarks/codes.py collection=cutouts out=codes seeds=3    # all models, one split
    python benchmarks/codes.py collection=cutouts out=codes folds=5    # the chosen one, five folds

Asked are dorsal pictures of genera with at least eight. With `seeds`, test specimens ask and all
others answer; networks were trained on the training specimens; the map is a t-SNE of all codes.
With `folds`, each fifth of the specimens is asked after a training on the other four; then all are,
in the same folds, after one training on all of them (transductive). Beside each stands a PCA of the
pixels to 128 numbers, fitted on what was trained on, and by how much it is surpassed, with the 95 %
interval of a paired bootstrap.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from hydra import compose, initialize_config_module
from openTSNE import TSNE
from sklearn.decomposition import PCA

from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.encoding.cache import PictureCache, on_white
from butterflies.encoding.codes import encode, load_autoencoder
from butterflies.encoding.data import Cutouts
from butterflies.scores.intervals import paired_bootstrap
from butterflies.scores.neighbours import Known, species_held_out, told_by
from butterflies.tables import ok_rows
from butterflies.tracking.fit import fit
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.runs import instantiated
from butterflies.tracking.settings import FitSettings
from butterflies.tracking.wandb import WandbSettings

FEWEST = 8
"""Dorsal pictures of a genus that is asked for."""

MODELS = {
    "autoencoder": ["model=autoencoder"],
    "+ hue": ["model=autoencoder", "model.hue=1"],
    "+ gradients": ["model=autoencoder", "model.gradients=1"],
    "vae": ["model=vae"],
    "denoising": ["model=denoising"],
    "vicreg": ["model=vicreg"],
    "simclr": ["model=simclr"],
    "dictionary": ["model=dictionary"],
    "dictionary + encoder": ["model=dictionary", "model.encoder_lr=0.03"],
}
"""Rows of the ablation: a name, and the words behind `experiment=autoencoder`."""

CHOSEN = ["model=dictionary"]

SHARED = ["callbacks=none"]
"""Words for every training."""

COLUMNS = ("genus", "species held out", "sex", "map")

Vectors = npt.NDArray[np.floating[Any]]
Chosen = npt.NDArray[np.bool_]
Right = dict[str, npt.NDArray[np.bool_]]
"""Of each column, whether those asked were told right."""


class Museum:
    """A collection's cut-outs, and what is known of them."""

    def __init__(self, collection: Path) -> None:
        self.collection = collection
        self.cache = PictureCache(collection)
        known = {row["assetID"]: row for row in ok_rows(read_records(collection))}
        self.rows = [known[asset_id] for asset_id in self.cache.ids]
        self.genera = [row["genus"] for row in self.rows]
        self.species = [f"{row['genus']} {row['specificEpithet']}" for row in self.rows]
        self.specimens = [row["specimen"] for row in self.rows]
        sexes = [row["sex"] for row in self.rows]
        self.sexes = [sex if sex in ("male", "female") else None for sex in sexes]
        dorsal = [str(row["view"]).lower().startswith("d") for row in self.rows]
        counts = Counter(g for g, shown in zip(self.genera, dorsal, strict=True) if shown)
        pairs = zip(self.genera, dorsal, strict=True)
        self.scored = np.array([shown and counts[genus] >= FEWEST for genus, shown in pairs])

    @cached_property
    def pixels(self) -> Vectors:
        colours, _ = on_white(torch.from_numpy(np.array(self.cache.pictures)))
        return colours.flatten(1).numpy()

    def part(self, name: str) -> Chosen:
        return np.array([split_of(specimen) == name for specimen in self.specimens])


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    museum, out = Museum(Path(given["collection"])), Path(given["out"])
    if "max_epochs" in given:
        SHARED.append(f"max_epochs={given['max_epochs']}")
    print(f"| vectors | {' | '.join(COLUMNS)} | L1 of those asked | longest training, s |")
    print(f"|{'---|' * (len(COLUMNS) + 3)}")
    if "folds" in given:
        by_folds(museum, out, int(given["folds"]))
    else:
        names = given.get("models", ",".join(MODELS)).split(",")
        ablation(museum, out, names, int(given.get("seeds", "3")))


def ablation(museum: Museum, out: Path, names: Iterable[str], seeds: int) -> None:
    asked, train = museum.part("test"), museum.part("train")
    print(line("pixels", [told(museum, components(museum, train), [asked])], [], []))
    for name in names:
        found, errors, seconds = [], [], []
        for seed in range(seeds):
            data = Cutouts(str(museum.collection), seed=seed)
            place = trained(data, MODELS[name], seed, out / f"{name}-{seed}")
            codes, error = encoded(museum, place)
            found.append(told(museum, codes, [asked]))
            errors.append(float(error[asked].mean()))
            seconds.append(read_provenance(place)["timings"]["fit"])
        print(line(name, found, errors, seconds), flush=True)


def by_folds(museum: Museum, out: Path, count: int) -> None:
    fold_of = folds(museum, count)
    parts = [fold_of == fold for fold in range(count)]
    everything = np.ones(len(fold_of), dtype=bool)
    for kind, seen in (("unseen", [~part for part in parts]), ("transductive", [everything])):
        asked = parts if kind == "unseen" else [parts]
        ours, theirs, errors, seconds = [], [], [], []
        for number, (known, part) in enumerate(zip(seen, asked, strict=True)):
            ids = [museum.cache.ids[row] for row in np.flatnonzero(known)]
            data = Some(str(museum.collection), ids)
            place = trained(data, CHOSEN, 0, out / f"{kind}-{number}")
            codes, error = encoded(museum, place)
            several = part if isinstance(part, list) else [part]
            ours.append(told(museum, codes, several))
            theirs.append(told(museum, components(museum, known), several))
            errors.append(float(error[np.any(several, axis=0)].mean()))
            seconds.append(read_provenance(place)["timings"]["fit"])
        print(line(f"pixels, {kind}", [joined(theirs)], [], []))
        print(line(f"codes, {kind}", [joined(ours)], errors, seconds))
        print(line("difference", [], [], [], gains(joined(ours), joined(theirs))), flush=True)


class Some(Cutouts):
    """Cut-outs of which only some are trained on; every tenth of these also validates."""

    def __init__(self, collection: str, ids: Sequence[str]) -> None:
        super().__init__(collection)
        self.ids = sorted(ids)

    def assets(self) -> dict[str, list[str]]:
        return {"train": self.ids, "validation": self.ids[::10], "test": self.ids[::10]}


def trained(data: Cutouts, words: Sequence[str], seed: int, place: Path) -> Path:
    """The run folder of a training by the configuration of `experiment=autoencoder`."""
    import_module("butterflies.jobs.train")
    with initialize_config_module("butterflies.conf", version_base="1.3"):
        given = ["experiment=autoencoder", f"collection='{data.collection}'", *SHARED, *words]
        config = compose("train", overrides=[*given, f"seed={seed}"])
    settings = FitSettings(
        model=lambda: instantiated(config.model),
        data=data,
        monitor=config.monitor,
        mode=config.mode,
        trainer=instantiated(config.trainer),
        logger=WandbSettings(mode="disabled"),
        out=str(place).replace(" ", "_"),
        seed=seed,
    )
    return fit(settings)[0]


def encoded(museum: Museum, place: Path) -> tuple[Vectors, Vectors]:
    """Codes (n, d) and errors (n) of all pictures by the best checkpoint of a run."""
    model = load_autoencoder(place / "best.ckpt")
    return encode(model, museum.cache.pictures, np.arange(len(museum.rows)))


def components(museum: Museum, seen: Chosen) -> Vectors:
    """A PCA to 128 numbers, fitted on the pictures that were seen."""
    pca = PCA(128, svd_solver="randomized", random_state=0).fit(museum.pixels[seen])
    found: Vectors = pca.transform(museum.pixels)
    return found


def folds(museum: Museum, count: int) -> npt.NDArray[np.int64]:
    """The fold of each picture: specimens by lot, genus by genus, dealt in turn."""
    genus_of = dict(zip(museum.specimens, museum.genera, strict=True))
    names = sorted(genus_of)
    shuffled = np.random.default_rng(0).permutation(len(names))
    dealt = sorted((names[number] for number in shuffled), key=lambda name: str(genus_of[name]))
    fold_of = {name: number % count for number, name in enumerate(dealt)}
    return np.array([fold_of[specimen] for specimen in museum.specimens])


def told(museum: Museum, vectors: Vectors, parts: Sequence[Chosen]) -> Right:
    """Whether neighbours among the scored pictures outside a part tell those inside right."""
    places = np.asarray(TSNE(n_jobs=-1, random_state=0).fit(vectors))
    found = [_told(museum, vectors, places, part) for part in parts]
    return joined(found)


def _told(museum: Museum, vectors: Vectors, places: Vectors, part: Chosen) -> Right:
    here, there = (np.flatnonzero(museum.scored & asked) for asked in (part, ~part))

    def known(space: Vectors, labels: list[Any], groups: list[Any]) -> Known:
        return Known(space[there], [labels[i] for i in there], [groups[i] for i in there])

    def asked(values: list[Any]) -> list[Any]:
        return [values[i] for i in here]

    m = museum
    specimens, genera, species = asked(m.specimens), asked(m.genera), asked(m.species)
    by_genus = known(vectors, m.genera, m.specimens)
    by_sex = known(vectors, m.sexes, m.specimens)
    on_map = known(places, m.genera, m.specimens)
    others = known(vectors, m.genera, m.species)
    return {
        "genus": told_by(by_genus, vectors[here], genera, specimens).right,
        "species held out": species_held_out(vectors[here], genera, species, known=others).right,
        "sex": told_by(by_sex, vectors[here], asked(m.sexes), specimens).right,
        "map": told_by(on_map, places[here], genera, specimens).right,
    }


def joined(found: Sequence[Right]) -> Right:
    return {name: np.concatenate([one[name] for one in found]) for name in COLUMNS}


def gains(ours: Right, theirs: Right) -> list[str]:
    found = (paired_bootstrap(ours[name], theirs[name]) for name in COLUMNS)
    return [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in found]


def line(
    name: str,
    found: Sequence[Right],
    errors: Sequence[float],
    seconds: Sequence[float],
    cells: Sequence[str] = (),
) -> str:
    """A row of the table: means over seeds, with their deviation where there are several."""
    shown = list(cells)
    if not shown:
        shown = [_spread([float(one[column].mean()) for one in found]) for column in COLUMNS]
    shown += [f"{np.mean(errors):.4f}" if errors else "", f"{max(seconds):.0f}" if seconds else ""]
    return f"| {name} | {' | '.join(shown)} |"


def _spread(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


if __name__ == "__main__":
    main(sys.argv[1:])
