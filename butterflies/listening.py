"""Serving pages to this machine and to nobody else."""

import errno
import socket

from butterflies.errors import UserError

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What a browser of this machine may call it. A page of another name that is made to point here
(DNS rebinding) is refused by its Host header."""


def listen(port: int) -> socket.socket:
    """A socket of this machine alone, at a port or, when 0, at any that is free.

    Raises:
        UserError: the port cannot be had.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "is in use by another program" if used else "cannot be used"
        raise UserError(
            f"Port {port} {why}: give another, such as port={_another(port)}."
        ) from None
    return listening


def _another(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8000
