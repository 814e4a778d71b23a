"""Sessions and records are listed newest first; the message log is looked through by what a request was about."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0006'
branch_labels = None
depends_on = None

ABOUT = sa.text('subject IS NOT NULL')


def upgrade() -> None:
    op.add_column('messages', sa.Column('subject', sa.Text(), nullable=True))
    op.create_index(
        'ix_messages_subject', 'messages', ['subject'], unique=False, postgresql_where=ABOUT, sqlite_where=ABOUT
    )
    op.create_index('ix_sessions_seq', 'sessions', ['seq'], unique=False)
    op.create_index('ix_sessions_status', 'sessions', ['status', 'seq'], unique=False)
    op.create_index('ix_cdrs_seq', 'cdrs', ['seq'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_cdrs_seq', table_name='cdrs')
    op.drop_index('ix_sessions_status', table_name='sessions')
    op.drop_index('ix_sessions_seq', table_name='sessions')
    op.drop_index('ix_messages_subject', table_name='messages')
    op.drop_column('messages', 'subject')
