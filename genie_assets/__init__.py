"""What happens in Databricks Genie spaces, joined into Delta tables by a Dagster code location.

Rooms: `domain` holds the rules (no I/O), `gateways` the outside world (one module per system), and the
modules beside this one the Dagster definitions. `sandbox` is a local Databricks workspace for newcomers and
tests; production code never imports it. This package imports nothing, so that any room loads alone.
"""
