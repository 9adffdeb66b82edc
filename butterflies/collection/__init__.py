"""Photographs and records: what the other rooms work on."""

VERSION = 1
