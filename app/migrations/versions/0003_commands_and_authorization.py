"""Remote commands with their results, reservations, aliases of long uids, and grants of id tags."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('grants',
    sa.Column('uid_key', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('uid_key', 'station_id', 'kind')
    )
    op.create_index('ix_grants_until', 'grants', ['until'], unique=False)
    op.create_table('aliases',
    sa.Column('uid_key', sa.Text(), nullable=False),
    sa.Column('id_tag', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('uid_key'),
    sa.UniqueConstraint('country_code', 'party_id', 'uid', 'type', name='uq_aliases_token')
    )
    op.create_table('reservations',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('reservation_key', sa.Text(), nullable=False),
    sa.Column('location_key', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('ix_reservations_expires_at', 'reservations', ['state', 'expires_at'], unique=False)
    op.create_index('ix_reservations_name', 'reservations', ['partner_id', 'reservation_key'], unique=False)
    op.create_table('remote_commands',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('result', sa.Text(), nullable=True),
    sa.Column('late', sa.Text(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('start_due_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_remote_commands_due', 'remote_commands', ['result', 'due_at'], unique=False)
    op.create_index('ix_remote_commands_start_due', 'remote_commands', ['start_due_at'], unique=False)
    op.create_table('command_results',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )


def downgrade() -> None:
    op.drop_table('command_results')
    op.drop_index('ix_remote_commands_start_due', table_name='remote_commands')
    op.drop_index('ix_remote_commands_due', table_name='remote_commands')
    op.drop_table('remote_commands')
    op.drop_index('ix_reservations_name', table_name='reservations')
    op.drop_index('ix_reservations_expires_at', table_name='reservations')
    op.drop_table('reservations')
    op.drop_table('aliases')
    op.drop_index('ix_grants_until', table_name='grants')
    op.drop_table('grants')
