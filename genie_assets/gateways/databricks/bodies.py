"""Reading the body of an answer: what was sent and what it unfolds to are both bounded, while they are read."""

import zlib
from collections.abc import Iterator

import requests

_PIECE_BYTES = 64 * 1024
_GZIP = 31  # what zlib calls a gzip header


class BodyTooBigError(Exception):
    """A body is bigger than it may be. `most` is how big that is, in bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} bytes")
        self.most = most


class UnreadableBodyError(Exception):
    """A body is packed in a way that was not asked for, or is broken."""


def read_body(response: requests.Response, most: int) -> bytes:
    """The whole body, unpacked.

    Args:
        response: A response whose body was not read yet.
        most: How big it may be in bytes, as it is sent and as it is unpacked.

    Raises:
        BodyTooBigError: it is bigger; no more than that was read and held.
        UnreadableBodyError: it cannot be unpacked.
    """
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip"):
        raise UnreadableBodyError
    sent = _counted(_sent(response), most)
    pieces = []
    for piece in _counted(_unpacked(sent), most) if packing.endswith("gzip") else sent:
        pieces.append(piece)  # noqa: PERF402 - on a failure, what came so far is let go at once
    return b"".join(pieces)


def short_body(response: requests.Response, most: int) -> bytes | None:
    """A body as `read_body` reads it; None if it is bigger than that, or cannot be read."""
    try:
        return read_body(response, most)
    except (BodyTooBigError, UnreadableBodyError):
        return None


def _sent(response: requests.Response) -> Iterator[bytes]:
    # read1 brings what is there; iter_content would wait for a whole piece, however slowly it trickles in.
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
        yield piece


def _counted(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > most:
            raise BodyTooBigError(most)
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gzip unpacked in small steps: a few bytes may stand for a thousand times as many."""
    unpacker, is_empty = zlib.decompressobj(_GZIP), True
    try:
        for piece in pieces:
            rest, is_empty = piece, False
            while rest:
                if unpacker.eof:  # more than one file in a row is one file
                    unpacker = zlib.decompressobj(_GZIP)
                yield unpacker.decompress(rest, _PIECE_BYTES)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        yield unpacker.flush()
        is_whole = unpacker.eof or is_empty
    except zlib.error:
        is_whole = False
    if not is_whole:
        raise UnreadableBodyError
