"""Codes, neighbours and a map from a checkpoint.

    python embed.py collection=data/papilionidae autoencoder=runs/train/.../best.ckpt
    python embed.py collection=data/papilionidae autoencoder=... projection=umap

The manual: python embed.py --help
"""

import sys

from butterflies.__main__ import main

if __name__ == "__main__":
    main(["embed", *sys.argv[1:]])
