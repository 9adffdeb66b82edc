"""Tiles and a web page from a map.

    python render.py map=runs/embed/...
    python render.py autoencoder=runs/train/.../best.ckpt collection=data/papilionidae

The manual: python render.py --help
"""

import sys

from butterflies.__main__ import main

if __name__ == "__main__":
    main(["render", *sys.argv[1:]])
