"""The HTTP server of a made-up account: authorization, the Genie API, faults, time."""
