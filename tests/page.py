"""The site of squares that the browser tests look at; `page_fixtures` shows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.browser import Visit
from tests.tiny_site import ZOOM, Squares

HOSTILE: dict[str, str | None] = {
    "scientificName": "<img src=x onerror='window.pwned=1'>",
    "genus": "<img src=x onerror='window.pwned=1'>",
    "specificEpithet": None,
    "locality": "</script><script>window.pwned=1</script>",
    "catalogNumber": "../../etc/passwd",
    "occurrenceID": "javascript:window.pwned=1",
    "associatedMedia": "javascript:window.pwned=1 | data:text/html,<script>1</script>",
    "license": "javascript:alert(1)//creativecommons.org/licenses/by/4.0",
    "__proto__": "<b>bold</b>",
}
FOREIGN = {"associatedMedia": "https://pictures.example.org/a.jpg"}
SQUARES = Squares(facts={3: HOSTILE, 4: FOREIGN})
Visits = Callable[..., AbstractContextManager[Visit]]


def view(number: int, zoom: float) -> str:
    """The address that centres a specimen at a zoom of the tiles (on a plain screen)."""
    x, y = SQUARES.place(number)
    return f"#{x},{y},{ZOOM - zoom}"
