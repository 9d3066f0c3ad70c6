"""The lakehouse: where the tables of `genie_analytics` are stored, behind one small interface.

What is asked of tables, and when, does not belong here.
"""
