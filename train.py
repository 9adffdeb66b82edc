"""Train a segmenter or an autoencoder.

    python train.py experiment=segmenter collection=data/papilionidae
    python train.py experiment=autoencoder collection=data/papilionidae model.latent_dim=128
    python train.py -m experiment=autoencoder collection=... model.latent_dim=32,64,128

The manual: python train.py --help
"""

import sys

from butterflies.__main__ import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
