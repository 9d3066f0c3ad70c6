"""The channels that alerts go to, by the library apprise: chat, e-mail, webhooks and a hundred more.

A channel's address is a secret as a whole: its tokens stand in it. So a channel is called by its number and kind,
and of what went wrong only words are handed out in which no part of the address is left. What is not delivered is
a value, not an exception.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from genie_assets.gateways.scrubbing import one_line, scrub, scrub_exception

# A sensor's tick may take a minute, and what hangs must not hold up the other channels.
SEND_SECONDS = 20.0
HEARTBEAT_SECONDS = 5.0
_LONGEST_REASON = 200
_SHORTEST_PART = 4
# What its scheme says of a channel. Nothing else of its address is ever shown.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}(?=://)", re.IGNORECASE)
_NO_ADDRESS = "it is no address that apprise knows: see apprise's list of services for how it is spelled"
_log = logging.getLogger("apprise")


class ChannelError(Exception):
    """Nothing can be sent at all. The message says what to do."""


@dataclass(frozen=True)
class Delivery:
    """What became of a message: whether the channel took it, and if not, why."""

    is_taken: bool
    reason: str = ""


@dataclass(frozen=True)
class Channel:
    """A place that takes messages.

    Attributes:
        key: What tells it apart from others, for as long as its address stays; it says nothing of the address.
        name: How it is called: its number in the setting, and its kind.
        address: Its address, a secret.
    plugin: What sends, apprise's; None if apprise does not know the address.
    """

    key: str
    name: str
    address: str = field(repr=False)
    plugin: Any = field(repr=False)

    def send(self, title: str, body: str, *, is_bad: bool) -> Delivery:
        """Send plain text; never raises."""
        if self.plugin is None:
            return Delivery(is_taken=False, reason=_NO_ADDRESS)
        with _heard() as said:
            try:
                is_taken = bool(self.plugin.notify(body, title, notify_type=_kind(is_bad), body_format="text"))
            except Exception as error:  # noqa: BLE001 - a hundred senders, each with failures of its own
                return Delivery(is_taken=False, reason=self._without_address(scrub_exception(error)))
        words = self._without_address(" ".join(said))
        return Delivery(is_taken) if is_taken else Delivery(is_taken, words or "it does not say why")

    def _without_address(self, text: str) -> str:
        parts = re.split(r"[^\w.%~-]+", self.address)
        # The scheme, the first of them, is shown anyway.
        hidden = [part for part in parts[1:] if len(part) >= _SHORTEST_PART]
        return one_line(scrub(_without(text, hidden)), _LONGEST_REASON)


def open_channels(addresses: Sequence[str]) -> tuple[Channel, ...]:
    """The channels of these addresses, as apprise spells them; one that it does not know takes nothing.

    Raises:
        ChannelError: apprise is not installed.
    """
    if not addresses:
        return ()
    try:
        import apprise
    except ImportError:
        raise ChannelError("apprise is not installed: pip install 'genie-assets[alerts]'") from None
    _keep_to_ourselves()
    # No state on disk, and nothing followed to where an address does not say.
    asset = apprise.AppriseAsset(
        storage_mode="memory", app_id="genie-assets", app_desc="genie-assets", app_url="", http_redirects=False
    )
    channels: list[Channel] = []
    for number, address in enumerate(addresses, start=1):
        scheme = _SCHEME.match(address)
        name = f"channel {number} ({scheme[0].lower() if scheme else 'no address'})"
        plugin = apprise.Apprise.instantiate(address, asset=asset)
        key = _key(plugin, [each.key for each in channels]) if plugin is not None else f"none-{number}"
        channels.append(Channel(key, name, address, plugin))
    return tuple(channels)


def send_to_all(
    channels: Sequence[Channel], messages: Sequence[tuple[str, str, bool]], seconds: float = SEND_SECONDS
) -> list[Delivery]:
    """Send each channel its message (title, body, whether it is bad news), side by side.

    Args:
        channels: Where to.
        messages: One for each.
        seconds: What has not answered then counts as not delivered.
    """
    results: list[Future[Delivery]] = [Future() for _ in channels]

    def deliver(number: int) -> None:
        title, body, is_bad = messages[number]
        results[number].set_result(channels[number].send(title, body, is_bad=is_bad))

    for number in range(len(channels)):
        # No pool: its threads would be waited for when the process ends, however long one hangs.
        threading.Thread(target=deliver, args=(number,), daemon=True).start()
    wait(results, timeout=seconds)
    late = Delivery(is_taken=False, reason=f"no answer within {seconds:g} seconds")
    return [each.result() if each.done() else late for each in results]


def beat(address: str) -> str | None:
    """Tell a watcher that all is well; None if it heard, else why not, without the address."""
    try:
        answer = requests.get(address, timeout=HEARTBEAT_SECONDS, allow_redirects=False, stream=True)
    except requests.RequestException as error:
        return type(error).__name__
    with answer:
        return None if answer.status_code < requests.codes.bad_request else f"HTTP status {answer.status_code}"


def _kind(is_bad: bool) -> str:
    return "failure" if is_bad else "success"


def _key(plugin: Any, taken: Sequence[str]) -> str:
    """Of the address without its secrets: a hash of a password could be guessed from."""
    key = hashlib.sha256(plugin.url(privacy=True).encode()).hexdigest()[:12]
    doubles = sum(each.partition("-")[0] == key for each in taken)
    return f"{key}-{doubles + 1}" if doubles else key


def _without(text: str, parts: Sequence[str]) -> str:
    for part in sorted(set(parts), key=len, reverse=True):
        text = text.replace(part, "[removed]")
    return text


class _Listener(logging.Handler):
    """What apprise says while somebody listens, by thread: several channels are sent to side by side."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: dict[int, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        said = self.heard.get(record.thread or 0)
        if said is not None:
            said.append(record.getMessage())


_listener = _Listener()


def _keep_to_ourselves() -> None:
    """Let apprise's log reach nobody else: at its lower levels it has addresses in it."""
    _log.propagate = False
    _log.setLevel(logging.WARNING)
    if _listener not in _log.handlers:
        _log.handlers = [_listener]


@contextmanager
def _heard() -> Iterator[list[str]]:
    said: list[str] = []
    here = threading.get_ident()
    _listener.heard[here] = said
    try:
        yield said
    finally:
        _listener.heard.pop(here, None)
