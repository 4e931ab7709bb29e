"""Alembic's entry: runs on the connection that ``store.engine.migrate`` hands over."""

from alembic import context

from bot.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=True, version_table="bot_version"
)
with context.begin_transaction():
    context.run_migrations()
