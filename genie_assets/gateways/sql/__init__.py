"""A SQL warehouse and the files beside it: statements, values, results, the system tables.

The tables of `genie_analytics` do not belong here: the lakehouse decides what is asked of them.
"""
