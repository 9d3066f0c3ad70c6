"""What every engine raises when it cannot do what was asked."""


class LakehouseError(Exception):
    """The lakehouse cannot do what was asked: one sentence that names the table or the setting, and what to do.

    It never holds stored values or credentials, and has no cause, because an engine's own text may.
    """
