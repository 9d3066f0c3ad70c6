"""Where presigned links lead, said without loading the engine."""

PRESIGNED_PREFIX = "/presigned/"
"""Paths below it are served without checking credentials: presigned links carry their own proof."""
