"""Records that passed the hub with what was found in them; messages per month; when lists of parties were read."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('hub_cdrs',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('receiver', sa.Text(), nullable=False),
    sa.Column('cdr_id', sa.Text(), nullable=False),
    sa.Column('cdr_key', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('session_key', sa.Text(), nullable=True),
    sa.Column('token_key', sa.Text(), nullable=True),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('credit', sa.Boolean(), nullable=False),
    sa.Column('credits_key', sa.Text(), nullable=True),
    sa.Column('kwh', sa.Text(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('excl_vat', sa.Text(), nullable=True),
    sa.Column('incl_vat', sa.Text(), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('price', sa.Text(), nullable=False),
    sa.Column('findings', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('correlation_id', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('delivered_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ux_hub_cdrs_digest', 'hub_cdrs', ['owner', 'cdr_key', 'digest'], unique=True)
    op.create_index('ix_hub_cdrs_session', 'hub_cdrs', ['owner', 'session_key'], unique=False)
    op.create_index('ix_hub_cdrs_token', 'hub_cdrs', ['token_key', 'started_at'], unique=False)
    op.create_index('ix_hub_cdrs_credits', 'hub_cdrs', ['owner', 'credits_key'], unique=False)
    op.create_index('ix_hub_cdrs_received', 'hub_cdrs', ['received_at', 'id'], unique=False)
    op.create_index('ix_hub_cdrs_delivered', 'hub_cdrs', ['delivered_at'], unique=False)
    op.create_table('hub_accounts',
    sa.Column('month', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('receiver', sa.Text(), nullable=False),
    sa.Column('messages', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('month', 'sender', 'receiver')
    )
    op.create_table('hub_pulls',
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('module', sa.Text(), nullable=False),
    sa.Column('tried_at', sa.BigInteger(), nullable=False),
    sa.Column('pulled_at', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('partner_id', 'module')
    )


def downgrade() -> None:
    op.drop_table('hub_pulls')
    op.drop_table('hub_accounts')
    op.drop_index('ix_hub_cdrs_delivered', table_name='hub_cdrs')
    op.drop_index('ix_hub_cdrs_received', table_name='hub_cdrs')
    op.drop_index('ix_hub_cdrs_credits', table_name='hub_cdrs')
    op.drop_index('ix_hub_cdrs_token', table_name='hub_cdrs')
    op.drop_index('ix_hub_cdrs_session', table_name='hub_cdrs')
    op.drop_index('ux_hub_cdrs_digest', table_name='hub_cdrs')
    op.drop_table('hub_cdrs')
