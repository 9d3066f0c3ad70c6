"""A Databricks workspace on localhost: real HTTP, real SQL, believable data, faults on demand.

For newcomers, tests and benchmarks. Production code never imports it, and it listens on loopback only.
"""
