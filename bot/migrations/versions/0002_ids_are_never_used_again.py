"""Ids are never used again: a page asks for what came after the last id that it saw."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rebuild(sqlite_autoincrement=True)


def downgrade() -> None:
    _rebuild(sqlite_autoincrement=False)


def _rebuild(**options: bool) -> None:
    """SQLite can only copy a table into a new one; PostgreSQL counts on by itself."""
    if op.get_bind().dialect.name == "sqlite":
        for table in ("inbox", "outbox"):
            with op.batch_alter_table(table, recreate="always", table_kwargs=options):
                pass
