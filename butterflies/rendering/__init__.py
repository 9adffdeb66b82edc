"""From places to tiles, chunks and a web page."""

VERSION = 5
