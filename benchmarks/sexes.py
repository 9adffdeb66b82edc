"""Why codes hardly tell the sexes apart: what a neighbour of the same species says.

    python benchmarks/codes.py collection=cutouts out=codes folds=5 max_epochs=10
    python benchmarks/sexes.py collection=cutouts run=codes/transductive-0

Asked are the dorsal pictures with a known sex; the neighbours are all others of these. A linear
classifier learns the sexes of four of the folds of codes.py and is asked for those of the fifth.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from codes import Museum, Vectors, components, encoded, folds
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from butterflies.scores.neighbours import Known, told_by

Texts = npt.NDArray[np.str_]


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    museum = Museum(Path(given["collection"]))
    known = np.flatnonzero(museum.scored & np.array([sex is not None for sex in museum.sexes]))
    everything = np.ones(len(museum.rows), dtype=bool)
    spaces = {
        "pixels": components(museum, everything),
        "codes": encoded(museum, Path(given["run"]))[0],
    }
    print(f"{len(known)} pictures; a pair of one species has one sex: {alike(museum, known):.3f}\n")
    print("| vectors | 5 neighbours | of other species | nearest of the same | linear classifier |")
    print("|---|---|---|---|---|")
    for name, vectors in spaces.items():
        found = [told_right(museum, vectors[known], known, group) for group in ("", "species")]
        found += [nearest_of_species(museum, vectors[known], known)]
        found += [classified(museum, vectors[known], known)]
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in found)} |")


def told_right(museum: Museum, vectors: Vectors, known: Any, group: str) -> float:
    """Share whose sex five neighbours tell, none of the own specimen or, if asked, species."""
    groups = [(museum.species if group else museum.specimens)[i] for i in known]
    sexes = [museum.sexes[i] for i in known]
    return told_by(Known(vectors, sexes, groups), vectors, sexes, groups).plain


def nearest_of_species(museum: Museum, vectors: Vectors, known: Any) -> float:
    """How often the nearest other specimen of the same species has the same sex."""
    same = _same_species(museum, known)
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    distances[~same] = np.inf
    sexes = np.array([museum.sexes[i] for i in known])
    asked = same.any(1)
    return float((sexes[distances.argmin(1)] == sexes)[asked].mean())


def alike(museum: Museum, known: Any) -> float:
    """Share of the pairs of one species that are of one sex."""
    sexes = np.array([museum.sexes[i] for i in known])
    pairs = np.triu(_same_species(museum, known))
    return float((sexes[:, None] == sexes[None])[pairs].mean())


def classified(museum: Museum, vectors: Vectors, known: Any) -> float:
    """Share whose sex a logistic regression tells that learned it from the other folds."""
    weak = {"logisticregression__C": np.logspace(-4, 0, 9)}
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model = GridSearchCV(pipeline, weak)
    sexes = np.array([museum.sexes[i] for i in known])
    split = PredefinedSplit(folds(museum, 5)[known])
    found = cross_val_predict(model, vectors, sexes, cv=split)
    return float((found == sexes).mean())


def _same_species(museum: Museum, known: Any) -> npt.NDArray[np.bool_]:
    species = np.array([museum.species[i] for i in known])
    specimens = np.array([museum.specimens[i] for i in known])
    same = (species[:, None] == species) & (specimens[:, None] != specimens)
    return np.asarray(same)


if __name__ == "__main__":
    main(sys.argv[1:])
