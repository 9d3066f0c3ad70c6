"""The AI/BI dashboard as code: what it shows, whether Databricks can draw it, and what a deployment does."""
