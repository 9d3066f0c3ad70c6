"""The outside world, one module per system. Nothing here knows Dagster."""
