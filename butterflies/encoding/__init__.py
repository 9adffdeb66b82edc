"""From cut-outs to latent codes."""

VERSION = 1
