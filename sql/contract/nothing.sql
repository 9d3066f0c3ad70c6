-- A table that there is not: what a statement says that fails.
SELECT * FROM system.access.genie_assets_asks_for_what_is_not_there LIMIT 0
