"""Sentences about what was odd, few enough to be read."""

from collections import Counter

FEW = 3


class Notes:
    """Collects sentences: the first three of each kind, the others are only counted."""

    def __init__(self) -> None:
        self._new: list[str] = []
        self._counts: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, kind: str, sentence: str) -> None:
        """Notes a sentence of a kind, such as `rows without an id`."""
        self._counts[kind] += 1
        if self._told[kind] < FEW:
            self._told[kind] += 1
            self._new.append(sentence)

    def count(self, kind: str) -> None:
        """Notes something that only its number tells of."""
        self._counts[kind] += 1

    def take(self) -> list[str]:
        """The sentences since the last call."""
        new, self._new = self._new, []
        return new

    def rest(self) -> list[str]:
        """A sentence for each kind of which not all were told; to be asked for once, at the end."""
        more = {kind: n for kind, n in self._counts.items() if n > self._told[kind]}
        return [f"{kind[0].upper()}{kind[1:]}: {n} in all." for kind, n in more.items()]
