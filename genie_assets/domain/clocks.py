"""Two clocks, ours and Databricks': how far they may be apart.

What changes is found by Databricks' clock alone, and loses nothing by the difference. But times of ours stand
beside theirs in the tables, and what is wrong here is wrong for whatever else runs on the machine: so it is said.
"""

import datetime as dt

MOST_SKEW = dt.timedelta(minutes=1)


def skew_problem(ours: dt.datetime, theirs: dt.datetime | None) -> str | None:
    """One sentence if the clocks differ by more than a minute; None if they do not, or theirs is not known.

    Args:
        ours: The time by our clock, UTC.
        theirs: The time by Databricks' clock at the same moment, UTC.
    """
    if theirs is None or abs(ours - theirs) <= MOST_SKEW:
        return None
    minutes = round(abs(ours - theirs) / dt.timedelta(minutes=1), 1)
    return (
        f"Our clock is {minutes:g} minutes {'ahead of' if ours > theirs else 'behind'} Databricks': no change is "
        "missed for it, but times of ours in the tables are wrong by as much. Set the clock of this machine."
    )
