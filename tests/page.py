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
OBJECT = "https://data.nhm.ac.uk/object/893e0b8c-9dab-40b5-872b-51f08a69e765/1458864000000"
MUSEUM = {
    "institutionCode": "NHMUK",
    "occurrenceID": "893e0b8c-9dab-40b5-872b-51f08a69e765",
    "creator": "Natural History Museum",
    "rightsHolder": "The Trustees of the Natural History Museum, London",
    "license": "http://creativecommons.org/licenses/by/4.0/",
    "recordLicense": "http://creativecommons.org/publicdomain/zero/1.0/",
    "bibliographicCitation": "Natural History Museum (2014). 013600798_additional (from Collection "
    "specimens) [Photograph]. Natural History Museum. Licensed under CC BY 4.0 "
    f"(https://creativecommons.org/licenses/by/4.0). {OBJECT}",
}
LONG = {
    "license": "https://user:secret@example.org/licence",
    "bibliographicCitation": "<b>All</b> of javascript:alert(1), https://a'b.example/x "
    f"https://pictures.example.org/{'very-long-' * 20}",
}
FOREIGN = {"associatedMedia": "https://pictures.example.org/a.jpg"}
SQUARES = Squares(facts={3: HOSTILE, 4: FOREIGN, 5: MUSEUM, 6: LONG})
Visits = Callable[..., AbstractContextManager[Visit]]


def view(number: int, zoom: float) -> str:
    """The address that centres a specimen at a zoom of the tiles (on a plain screen)."""
    x, y = SQUARES.place(number)
    return f"#{x},{y},{ZOOM - zoom}"
