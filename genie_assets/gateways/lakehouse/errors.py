"""What every engine raises when it cannot do what was asked."""


class LakehouseError(Exception):
    """The lakehouse cannot do what was asked: one sentence that names the table or the setting, and what to do.

    It never holds stored values or credentials, and has no cause, because an engine's own text may.

    Args:
        message: The sentence.
        lacks_grants: Whether it takes grants of Unity Catalog that our principal does not have.
    """

    def __init__(self, message: str, *, lacks_grants: bool = False) -> None:
        super().__init__(message)
        self.lacks_grants = lacks_grants
