"""From latent codes to places on a map."""

VERSION = 3
