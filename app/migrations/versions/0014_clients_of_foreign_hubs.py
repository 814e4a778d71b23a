"""What foreign hubs say of the parties behind them."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('foreign_clients',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(
        'ix_foreign_clients_party', 'foreign_clients', ['partner_id', 'country_code', 'party_id'], unique=False
    )


def downgrade() -> None:
    op.drop_index('ix_foreign_clients_party', table_name='foreign_clients')
    op.drop_table('foreign_clients')
