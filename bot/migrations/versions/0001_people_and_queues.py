"""People and queues."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('people',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=10), nullable=False),
    sa.Column('address_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=False),
    sa.Column('choice', sa.String(length=8), nullable=True),
    sa.Column('last_clear', sa.String(length=8), nullable=True),
    sa.Column('hint', sa.String(length=8), nullable=True),
    sa.Column('site', sa.String(length=20), nullable=True),
    sa.Column('site_until', sa.Date(), nullable=True),
    sa.Column('pseudonym', sa.String(length=32), nullable=False),
    sa.Column('pseudonym_until', sa.Float(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('blocked', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('address_hash')
    )
    op.create_table('safety_sent',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('until', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('digest')
    )
    op.create_table('chat_marks',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'message_id')
    )
    op.create_table('inbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('source_key', sa.String(length=64), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('received_at', sa.Float(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.Float(), nullable=False),
    sa.Column('told_to_wait', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('source_key')
    )
    op.create_index('inbox_open', 'inbox', ['state', 'person_id', 'id'], unique=False)
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('dedupe', sa.String(length=64), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=10), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.Float(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('reason', sa.String(length=60), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dedupe')
    )
    op.create_index('outbox_open', 'outbox', ['state', 'priority', 'id'], unique=False)
    op.create_index('outbox_person', 'outbox', ['person_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index('outbox_person', table_name='outbox')
    op.drop_index('outbox_open', table_name='outbox')
    op.drop_table('outbox')
    op.drop_index('inbox_open', table_name='inbox')
    op.drop_table('inbox')
    op.drop_table('chat_marks')
    op.drop_table('safety_sent')
    op.drop_table('people')
