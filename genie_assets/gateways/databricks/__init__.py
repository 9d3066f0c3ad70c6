"""How a Databricks workspace is reached: hosts, credentials, one HTTP exchange, retries, pace.

What a workspace is asked for does not belong here.
"""
