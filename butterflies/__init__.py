"""From a museum's specimen photographs to a map that anyone can explore."""

__version__ = "0.1.0"
