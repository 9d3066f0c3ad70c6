"""The sandbox's SQL warehouse: Databricks' statement and files APIs over Sail and real Delta tables."""
