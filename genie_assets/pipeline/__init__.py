"""What the assets do: rules and gateways put together, without Dagster.

One module per asset, plus what the checks and the sensor read. Everything here may be run twice, and in any order
of days, with the same outcome.
"""
