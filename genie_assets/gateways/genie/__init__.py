"""The Genie API: its requests, its answers, and what became of each message that was asked for."""
