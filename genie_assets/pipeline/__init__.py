"""What the assets do: rules and gateways put together, without Dagster.

Four modules have the names of the assets and say what those do. Beside them: how any kind of thing is asked for,
batched and stored (`things`, `batches`, `error_ledger`), the kinds (`message_log`, `space_shelf`,
`space_versions`), what is known already (`stored`, `evidence`, `known_spaces`), what checks and sensors read
(`inspection`, `waiting`), and the ledger by hand.

Everything here may be run twice, and in any order of days, with the same outcome.
"""
