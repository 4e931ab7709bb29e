"""`python -m tests.botapi`: a Telegram for one machine, with a page to write from.

Start it, start the product with TELEGRAM_API_URL and TELEGRAM_TOKEN set to what it says,
and open the address it says.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal

from .limits import UNLIMITED, Limits
from .server import DEFAULT_TOKEN, serve
from .state import World

log = logging.getLogger("botapi")


def main() -> None:
    """Serve until interrupted."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for noisy in ("httpx", "httpcore", "uvicorn"):  # they would log the token in addresses
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.botapi", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8443, help="0 takes a free one")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the bot's token, like 123:abc")
    parser.add_argument("--no-rates", action="store_true", help="any number of messages")
    parser.add_argument("--strict", action="store_true", help="refuse unknown parameters")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    limits = UNLIMITED if arguments.no_rates else Limits()
    world = World(limits=limits, strict=arguments.strict)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(world, host=arguments.host, port=arguments.port, token=arguments.token) as server:
        log.info("TELEGRAM_API_URL=%s TELEGRAM_TOKEN=%s", server.url, server.token)
        log.info("write to the bot at %s/", server.url)
        await stop.wait()


if __name__ == "__main__":
    main()
