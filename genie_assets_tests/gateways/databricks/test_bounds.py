"""No answer is endless: neither in time nor in size, nor in what it unfolds to, from whatever answers."""

import gzip
import json
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from functools import cache

import pytest

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.transport import AnswerLimits
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets_tests.gateways.raw_server import RawServer, head, read_head, says
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always

TOKEN = "dapi0123456789abcdef0123456789abcdef"
MIB = 2**20
CHUNKED, LONG = "Transfer-Encoding: chunked", "Content-Length: 1000000"


def connect(server, *, timeout=5.0, reads=2):
    """An answer may take as long as a connection and `reads` read timeouts."""
    timeouts = Timeouts(timeout, reads)
    return Workspaces(server.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=timeouts).home()


def failure(server, *, timeout=0.25, **options):
    return failure_of(connect(server, timeout=timeout), **options)


def failure_of(http, *, limits=None, method="GET", **options):
    with pytest.raises(CallError) as caught:
        http.call(method, "/x", limits=limits or AnswerLimits(), **options)
    return caught.value


def within(seconds, call):
    """The result of a call; fails if it takes longer than that, instead of waiting."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "no end in sight"
    return results[0]


TRICKLES = {
    "the status line": says(for_ever=b"H", pause=0.05),
    "a header": says(b"HTTP/1.1 200 OK\r\nX: ", for_ever=b"x", pause=0.05),
    "headers": says(b"HTTP/1.1 200 OK\r\n", for_ever=b"X: y\r\n", pause=0.05),
    "interim answers": says(for_ever=head(status="100 Continue"), pause=0.05),
    "a body": says(head(LONG), for_ever=b"x", pause=0.05),
    "chunks": says(head(CHUNKED), for_ever=b"1\r\nx\r\n", pause=0.05),
    "the size of a chunk": says(head(CHUNKED), for_ever=b"0", pause=0.05),
    "trailers": says(head(CHUNKED), b"0\r\n", for_ever=b"X: y\r\n", pause=0.05),
    "a packed body": says(head(CHUNKED, "Content-Encoding: gzip"), for_ever=b"1\r\n\x1f\r\n", pause=0.05),
    "the body of a redirect": says(
        head(LONG, "Location: https://elsewhere.example/", status="302 Found"), for_ever=b"x", pause=0.05
    ),
    "the body of an error": says(head(LONG, status="500 Oops"), for_ever=b"x", pause=0.05),
}


@pytest.mark.parametrize("script", TRICKLES.values(), ids=TRICKLES)
def test_what_trickles_in_for_ever_comes_to_an_end(script):
    """A read timeout starts again with every byte; only with a body was the whole ever bounded."""
    with RawServer(script).running() as server:
        failed = within(8, lambda: failure(server))
    assert failed.error.error_class in (ErrorClass.TIMEOUT, ErrorClass.BAD_PAYLOAD)
    assert failed.transient


def test_a_caller_in_a_hurry_is_not_kept_waiting():
    with RawServer(TRICKLES["headers"]).running() as server:
        failed = within(8, lambda: failure(server, timeout=60, limits=AnswerLimits(seconds=0.5)))
    assert failed.error.error_class is ErrorClass.TIMEOUT


def test_a_tls_handshake_and_a_proxy_may_not_take_for_ever_either(monkeypatch):
    silent = RawServer(says(for_ever=b"\x16", pause=0.05), reads_head=False)
    with silent.running():
        monkeypatch.setattr(silent, "url", silent.url.replace("http:", "https:"))
        assert within(8, lambda: failure(silent)).error.error_class in (ErrorClass.TIMEOUT, ErrorClass.NETWORK)
    monkeypatch.setenv("no_proxy", "")
    for script in (TRICKLES["the status line"], says(head(), for_ever=b"X", pause=0.05)):
        with RawServer(script).running() as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            far = Workspaces(
                "https://far.example", token=TOKEN, policy=HostPolicy(["far.example"]), timeouts=Timeouts(0.5, 2)
            )
            failed = within(8, lambda far=far: failure_of(far.home()))
            assert failed.error.error_class in (ErrorClass.TIMEOUT, ErrorClass.NETWORK)


ENDLESS_HEADS = {
    "one header": says(b"HTTP/1.1 200 OK\r\nX: ", for_ever=b"x" * 65_536),
    "many headers": says(b"HTTP/1.1 200 OK\r\n", for_ever=b"X: y\r\n" * 1000),
    "a status line": says(for_ever=b"H" * 65_536),
    "interim answers": says(for_ever=head(status="100 Continue") * 1000),
    "interim answers with long headers": says(for_ever=head("X: " + "x" * 60_000, status="100 Continue")),
}


@pytest.mark.parametrize("script", ENDLESS_HEADS.values(), ids=ENDLESS_HEADS)
def test_a_head_without_an_end_is_given_up_at_once(script):
    with RawServer(script).running() as server:
        failed = within(8, lambda: failure(server, timeout=60))
    assert failed.error.error_class in (ErrorClass.BAD_PAYLOAD, ErrorClass.NETWORK)
    assert len(failed.error.message) < 200


@cache
def bomb(mib):
    """Gzip of so many MiB of a JSON text."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * MIB
    return b"".join([packer.compress(b'{"a": "'), *(packer.compress(piece) for _ in range(mib)), packer.flush()])


def test_a_body_is_read_up_to_its_limit_packed_or_not():
    limits = AnswerLimits(most_bytes=MIB)
    whole = json.dumps({"a": "x" * (MIB - 20)})
    with StubServer(lambda _: Reply(whole)).running() as stub:
        http = connect(stub)
        assert len(http.call("GET", "/x", limits=limits)["a"]) == MIB - 20
        stub.answer = lambda _: Reply(gzip.compress(whole.encode()), headers={"Content-Encoding": "gzip"})
        assert len(http.call("GET", "/x", limits=limits)["a"]) == MIB - 20
        for body, headers in (
            (json.dumps({"a": "x" * MIB}), {}),
            (gzip.compress(json.dumps({"a": "x" * MIB}).encode()), {"Content-Encoding": "gzip"}),
            (bomb(50), {"Content-Encoding": "x-gzip"}),
            (b"".join(gzip.compress(b" " * 1000) for _ in range(2000)), {"Content-Encoding": "gzip"}),
        ):
            stub.answer = always(Reply(body, headers=headers))
            failed = failure(stub, timeout=5, limits=limits)
            # Asked again at once, it would be as big.
            assert (failed.error.error_class, failed.transient) == (ErrorClass.TOO_BIG, False)
            assert failed.error.message == "The answer is bigger than 1 MiB."
            assert failed.error.http_status == 200


def test_an_endless_body_ends_at_the_limit():
    with RawServer(says(head(CHUNKED), for_ever=b"10000\r\n" + b"x" * 65_536 + b"\r\n")).running() as server:
        assert within(20, lambda: failure(server, timeout=60)).error.error_class is ErrorClass.TOO_BIG


def test_few_bytes_that_stand_for_many_values_are_too_big():
    """Parsed, an empty list takes thirty times the bytes that it takes to send."""
    many = b'{"a": [' + b"[]," * 2_000_000 + b"[]]}"
    with StubServer(lambda _: Reply(many)).running() as stub:
        assert failure(stub, timeout=5).error.error_class is ErrorClass.TOO_BIG
        # In texts the same marks are no values.
        text = ',[]{}\\"' * 700_000
        stub.answer = lambda _: Reply({"a": text})
        assert connect(stub, timeout=5).call("GET", "/x") == {"a": text}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(gzip.compress(b'{"a": 1}')[:-9], headers={"Content-Encoding": "gzip"}),
        Reply(b'{"a": 1}', headers={"Content-Encoding": "gzip"}),
        Reply(gzip.compress(b'{"a": 1}') + b"garbage", headers={"Content-Encoding": "gzip"}),
        Reply(zlib.compress(b'{"a": 1}'), headers={"Content-Encoding": "deflate"}),
        Reply(gzip.compress(gzip.compress(b'{"a": 1}')), headers={"Content-Encoding": "gzip, gzip"}),
        Reply(b'{"a": 1}', headers={"Content-Encoding": "br"}),
    ],
    ids=["cut off", "not packed", "garbage behind", "deflate", "packed twice", "brotli"],
)
def test_a_body_that_cannot_be_unpacked_is_no_answer(reply):
    with StubServer(lambda _: reply).running() as stub:
        failed = failure(stub, timeout=5)
        assert stub.requests[0].headers["Accept-Encoding"] == "gzip"
    assert (failed.error.error_class, failed.transient) == (ErrorClass.BAD_PAYLOAD, True)


def test_more_than_one_packed_file_in_a_row_is_one_body():
    body = gzip.compress(b'{"a": ') + gzip.compress(b"") + gzip.compress(b"1}")
    with StubServer(lambda _: Reply(body, headers={"Content-Encoding": "gzip"})).running() as stub:
        assert connect(stub).call("GET", "/x") == {"a": 1}


def test_of_an_error_no_more_is_read_than_is_needed():
    for encoding in ({}, {"Content-Encoding": "gzip"}):
        body = bomb(100) if encoding else b"x" * (30 * MIB)
        reply = Reply(body, 429, {"Retry-After": "7", **encoding})
        with StubServer(always(reply)).running() as stub:
            failed = failure(stub, timeout=5)
        assert (failed.error.error_class, failed.error.retry_after_seconds) == (ErrorClass.RATE_LIMITED, 7)
        assert failed.error.message.endswith("more application/json than is read of an error")


def test_a_redirect_is_not_even_read():
    """Asked for where it leads, requests reads all of its body first, unpacked."""
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    packed = bomb(400)
    with StubServer(lambda _: Reply(packed, 302, headers)).running() as stub:
        assert _peak_mib(stub.url, threads=1) < 100


def _peak_mib(url, *, threads):
    """How much more memory a process takes at its peak while so many threads ask for the same, in MiB."""
    script = f"""
        import resource, threading
        from genie_assets.gateways.databricks.hosts import HostPolicy
        from genie_assets.gateways.databricks.retries import CallError
        from genie_assets.gateways.databricks.workspaces import Workspaces

        http = Workspaces({url!r}, token={TOKEN!r}, policy=HostPolicy(["127.0.0.1"])).home()

        classes = []

        def ask():
            try:
                http.call("GET", "/x")
            except CallError as error:
                classes.append(error.error.error_class)

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        before = peak()
        workers = [threading.Thread(target=ask) for _ in range({threads})]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        print(*classes, round(peak() - before))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=120
    )
    *classes, peak = done.stdout.split()
    assert len(classes) == threads
    return int(peak)


def test_gzip_bombs_on_all_threads_leave_the_process_small():
    """200 kB that unfold to 400 MB: eight of them took 6.9 GB."""
    packed = bomb(400)
    assert len(packed) < 500_000
    with StubServer(lambda _: Reply(packed, headers={"Content-Encoding": "gzip"})).running() as stub:
        assert _peak_mib(stub.url, threads=16) < 16 * 16 * 2


def test_a_slow_reader_of_a_big_upload_gets_all_the_time_of_the_exchange():
    """The time for a connection was also that for sending all of a file."""
    # The pauses are together longer than is waited for a connection, and each much shorter: however late a busy
    # machine wakes up the reader, it is not silent for as long.
    size, received, pauses, pause, timeout = 16 * MIB, [], 8, 0.3, 2.0

    def script(connection: socket.socket) -> None:
        got = len(read_head(connection).partition(b"\r\n\r\n")[2])
        for part in range(1, pauses + 1):
            while got < part * size // pauses:
                got += len(connection.recv(MIB // 2))
            time.sleep(pause)
        received.append(got)
        connection.sendall(head("Content-Length: 0", status="204 No Content"))

    with RawServer(script, reads_head=False).running() as server:
        started = time.monotonic()
        connect(server, timeout=timeout, reads=20).send("PUT", "/x", data=b"x" * size)
        assert time.monotonic() - started > timeout
    assert received == [size]


def test_a_reader_that_never_reads_does_not_hold_an_upload_for_ever():
    with RawServer(lambda _: time.sleep(30), reads_head=False).running() as server:
        failed = within(8, lambda: failure(server, method="POST", body={"a": "x" * (30 * MIB)}))
    assert failed.error.error_class is ErrorClass.TIMEOUT


INTERIM = {
    "103": head("Link: </x>", status="103 Early Hints"),
    "102": head(status="102 Processing"),
    "101": head("Upgrade: websocket", status="101 Switching Protocols"),
}


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_an_answer_that_follows_an_interim_one_is_not_taken_for_the_next(interim):
    """Left on the connection, it would be the answer to the next request: another message's."""
    late = head("Content-Length: 15") + b'{"late": "yes"}'

    def script(connection: socket.socket) -> None:
        connection.sendall(interim)
        time.sleep(0.1)
        connection.sendall(late)
        read_head(connection)
        connection.sendall(head("Content-Length: 16") + b'{"late": "two" }')

    with RawServer(script).running() as server:
        http = connect(server)
        for _ in range(3):
            with pytest.raises(CallError) as caught:
                http.call("GET", "/x")
            assert caught.value.error.error_class is ErrorClass.BAD_PAYLOAD
            assert caught.value.transient
            time.sleep(0.2)
        assert server.connections == 3


def test_a_usual_100_is_no_trouble():
    answer = head(status="100 Continue") + head("Content-Length: 8") + b'{"a": 1}'
    with RawServer(says(answer)).running() as server:
        assert connect(server).call("GET", "/x") == {"a": 1}


GARBAGE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1 \r\n\r\n",
    "a status that is no number": b"HTTP/1.1 2OO OK\r\n\r\n",
    "a length that is no number": head("Content-Length: many") + b"x",
    "a negative length": head("Content-Length: -5") + b"x",
    "two lengths": head("Content-Length: 5", "Content-Length: 6") + b"xxxxx",
    "a length that lies": head("Content-Length: 50") + b'{"a": 1}',
    "a length that is too short": head("Content-Length: 3") + b'{"a": 1}',
    "chunks of garbage": head(CHUNKED) + b"zz\r\nxx\r\n",
    "chunks of negative size": head(CHUNKED) + b"-5\r\nxxxxx\r\n",
    "a chunk that is cut off": head(CHUNKED) + b"ffff\r\nxx",
    "a huge chunk": head(CHUNKED) + b"7fffffffffffffff\r\nxx",
    "headers that are no headers": b"HTTP/1.1 200 OK\r\n\xff\xfe\x00: \x00\r\n: x\r\nnothing\r\n\r\n{",
    "no body": head("Content-Length: 0"),
    "nothing where something should be": head(status="204 No Content"),
    "nothing at all": b"",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_a_failure_in_one_sentence(answer, caplog):
    with RawServer(says(answer)).running() as server:
        failed = within(8, lambda: failure(server))
    assert failed.error.error_class in (ErrorClass.NETWORK, ErrorClass.BAD_PAYLOAD, ErrorClass.SERVER)
    assert failed.error.message.endswith(".") or "204" in failed.error.message
    assert "urllib3" not in failed.error.message
    assert "Error(" not in failed.error.message
    assert TOKEN not in caplog.text


def test_cookies_are_neither_kept_nor_sent():
    numbers = iter(range(1000))
    reply = lambda _: Reply({"a": 1}, headers={"Set-Cookie": f"name{next(numbers)}=value; Path=/"})  # noqa: E731
    with StubServer(reply).running() as stub:
        http = connect(stub)
        for _ in range(3):
            http.call("GET", "/x")
        assert not any("Cookie" in request.headers for request in stub.requests)
        assert len({request.peer for request in stub.requests}) == 1
