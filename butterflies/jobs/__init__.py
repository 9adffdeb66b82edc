"""One file per job: configuration in, one call into a room."""
