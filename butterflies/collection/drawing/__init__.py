"""Drawn butterflies: heredity, wings, scenes, and records, all computed."""
