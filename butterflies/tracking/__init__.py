"""Runs, their provenance and their loggers: what every room reports to, and nothing of theirs."""
