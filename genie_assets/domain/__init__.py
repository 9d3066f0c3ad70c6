"""What is true about Genie messages: pure rules without I/O, clock, Dagster or environment."""
