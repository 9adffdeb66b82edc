"""Errors that a user can mend: one sentence each, never a traceback."""


class UserError(Exception):
    """Something the user gave is wrong: says what was found, what was expected, what to do.

    The command line prints the sentence and exits with status 1.
    """


class PhotographError(Exception):
    """One photograph cannot be used; its sentence becomes the `reason` in the table.

    Attributes:
        status: the row's status, one of `butterflies.tables.STATUSES`.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
