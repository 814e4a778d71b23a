"""Several processes on one database: who they are, and which of them has a station, a call or a delivery."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('nodes',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('heard_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.add_column('stations', sa.Column('turn', sa.BigInteger(), nullable=False, server_default='0'))
    op.add_column('stations', sa.Column('node', sa.BigInteger(), nullable=True))
    op.add_column('commands', sa.Column('node', sa.BigInteger(), nullable=True))
    op.add_column('commands', sa.Column('late', sa.Text(), nullable=True))
    op.add_column('deliveries', sa.Column('node', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column('deliveries', 'node')
    op.drop_column('commands', 'late')
    op.drop_column('commands', 'node')
    op.drop_column('stations', 'node')
    op.drop_column('stations', 'turn')
    op.drop_table('nodes')
