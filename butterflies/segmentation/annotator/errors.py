"""Why the annotator does not do what a page asks."""

from butterflies.errors import UserError


class Refusal(UserError):
    """An answer with a sentence instead of what was asked for.

    Attributes:
        status: of the HTTP answer.
        version: of the photograph as it is now, where the page knew an older one.
    """

    def __init__(self, status: int, sentence: str, version: str | None = None) -> None:
        super().__init__(sentence)
        self.status, self.version = status, version


def stale(version: str) -> Refusal:
    """Another page or program has changed a photograph's mask, draft or judgement meanwhile."""
    sentence = "This photograph was changed elsewhere since it was opened here: open it anew."
    return Refusal(409, sentence, version)
