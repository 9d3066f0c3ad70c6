"""Arrow columns of made-up ids, texts and times, without a Python loop."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def mixed(numbers: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: other numbers stay other numbers, in no visible order."""
    bits = numbers + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def ids(at_ms: np.ndarray, random: np.ndarray) -> pa.Array:
    """32 hex digits: 01f0, the time, then what tells ids of one time apart."""
    high = np.uint64(0x01F0 << 48) | at_ms.astype(np.uint64)
    digits = np.stack([high, random], axis=1).astype(">u8").view(np.uint8).reshape(len(at_ms), 16)
    text = np.empty((len(at_ms), 32), dtype=np.uint8)
    text[:, 0::2], text[:, 1::2] = _HEX[digits >> 4], _HEX[digits & 15]
    offsets = np.arange(len(at_ms) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(at_ms), pa.py_buffer(offsets), pa.py_buffer(text))


def joined(*parts: Any) -> pa.Array:
    """Texts and arrays of texts, one after the other."""
    return pc.binary_join_element_wise(*parts, "")


def dates(first: dt.date, days: np.ndarray) -> pa.Array:
    """So many days after the first, as dates."""
    since_epoch = days + (first - dt.date(1970, 1, 1)).days
    return pa.array(since_epoch.astype(np.int32)).cast(pa.date32())


def times(at_ms: np.ndarray) -> pa.Array:
    """Epochs in ms as UTC times."""
    return pa.array(at_ms * 1000).cast(pa.timestamp("us", "UTC"))
