"""Configuration: one primary file per job, groups beside them."""
