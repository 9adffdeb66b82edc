"""From photographs to cut-outs."""

VERSION = 2
