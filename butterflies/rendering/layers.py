"""Pictures placed on a zoom of the map, and which of them touch where."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from butterflies.rendering.sprites import Shadow

Ints = npt.NDArray[np.int64]
Cell = tuple[int, int]
"""x and y on a grid."""


@dataclass(frozen=True)
class Placed:
    """Pictures of one layer on one zoom.

    Attributes:
        numbers: (k,) the specimens' numbers among the sprites.
        centres: (k, 2) in pixels of the zoom.
        rooms: (k,) diameters kept free, in pixels of the zoom.
        widths: (k,) of the pictures, in pixels of the zoom, even.
        pad: how far their shadows reach beyond them, over their width.
    """

    numbers: Ints
    centres: Ints
    rooms: npt.NDArray[np.float64]
    widths: Ints
    pad: float = Shadow().pad

    @property
    def reach(self) -> int:
        """How far a picture's shadow goes from its centre, at most."""
        widest = int(self.widths.max(initial=0))
        return widest // 2 + int(np.ceil(self.pad * widest))

    def take(self, index: Ints) -> "Placed":
        rooms, widths = self.rooms[index], self.widths[index]
        return Placed(self.numbers[index], self.centres[index], rooms, widths, self.pad)

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, index: int) -> Cell:
        x, y = self.centres[index].tolist()
        return x, y

    def renumbered(self, numbers: Ints) -> "Placed":
        """The same, where specimens are numbered by their place in sorted `numbers`."""
        return replace(self, numbers=np.searchsorted(numbers, self.numbers))

    def by_cell(self, width: int) -> dict[Cell, "Placed"]:
        """Those touching each cell of a grid; a picture may touch several."""
        first = (self.centres - self.reach) // width
        last = (self.centres + self.reach) // width
        found: dict[Cell, list[int]] = {}
        for index, ((x0, y0), (x1, y1)) in enumerate(
            zip(first.tolist(), last.tolist(), strict=True)
        ):
            for x in range(x0, x1 + 1):
                for y in range(y0, y1 + 1):
                    found.setdefault((x, y), []).append(index)
        return {cell: self.take(np.array(indices)) for cell, indices in found.items()}
