"""``rahnuma gateway``: the gateway's process; ``rahnuma up`` starts it."""

from __future__ import annotations

import logging

import settings as settings_module
from bot.metrics import Metrics
from cli import model
from cli.failing import Failed
from settings import Settings


def gateway() -> None:
    """Serve Telegram's webhook and the web chat, and work the queues."""
    import uvicorn

    from bot.app import Gateway

    settings = settings_module.load()
    quiet_logs()
    models = model.newest_first(settings)
    built = Gateway(settings, model=models[0] if models else None)
    built.store.migrate()
    _serve_metrics(built.metrics, settings)
    config = uvicorn.Config(
        built.app(),
        host=settings.bind,
        port=settings.bot_port,
        access_log=False,
        ws="none",
        log_level="warning",
        timeout_graceful_shutdown=5,
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run()


def quiet_logs() -> None:
    """Warnings and our own events; libraries that log addresses with the bot's token stay silent."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("httpx", "httpcore", "telegram", "telegram.ext", "uvicorn.access", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _serve_metrics(metrics: Metrics, settings: Settings) -> None:
    try:
        metrics.serve(settings.metrics_port)
    except OSError as error:
        raise Failed(f"RAHNUMA_METRICS_PORT: port {settings.metrics_port} is in use") from error
