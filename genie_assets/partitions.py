"""The partitions: UTC days, today included. Which is the first is a setting; nothing is counted back from now."""

import datetime as dt

import dagster as dg


def utc_days(first_day: dt.date) -> dg.DailyPartitionsDefinition:
    """The days from a fixed one on.

    Processes that disagreed about it would disagree about which partitions exist: a date that is counted back from
    the present one would be another in each of them, and days would end as partitions one after the other.
    """
    # end_offset=1: today is a partition, so that the hourly schedule has one to fill.
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC", end_offset=1)
