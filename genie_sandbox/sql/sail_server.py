"""The process that Sail runs in: says its port on stdout and serves until its stdin ends.

A process of its own because Sail keeps some memory of every statement for good, which only its end gives back, and
because what ends with it is known to have ended.
"""

import os
import signal
import sys


def main() -> None:
    """Serve Spark Connect on a free loopback port."""
    # Ctrl-C in a terminal reaches the whole group; the sandbox ends us once it has ended its statements.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    print(server.listening_address[1], flush=True)  # noqa: T201 - the line that our parent waits for
    sys.stdin.buffer.read()  # ends when our parent does, however it does
    os._exit(0)  # the library's own way out waits for its clients


if __name__ == "__main__":
    main()
