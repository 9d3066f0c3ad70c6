"""The one partitions definition: UTC days, today included."""

import dagster as dg

# A constant, because processes that disagreed about it would disagree about which partitions exist. System tables
# keep a year; older days stay addressable for tables that were loaded in time.
FIRST_DAY = "2025-01-01"

# end_offset=1: today is a partition, so that the hourly schedule has one to fill.
CREATED_DATE = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)
