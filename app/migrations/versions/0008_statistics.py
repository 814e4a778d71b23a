"""Transactions are looked for by their end, for statistics of a period."""

from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_transactions_stopped_at', 'transactions', ['stopped_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_transactions_stopped_at', table_name='transactions')
