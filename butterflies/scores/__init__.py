"""Scores, one implementation each."""
