"""From photographs to cut-outs."""

VERSION = 1
