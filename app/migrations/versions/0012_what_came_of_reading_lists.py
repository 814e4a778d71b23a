"""What came of reading a list; whether an object of the hub was in its owner's list."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('hub_objects', sa.Column('listed', sa.Boolean(), nullable=True))
    op.add_column('hub_pulls', sa.Column('whole_at', sa.BigInteger(), nullable=True))
    for name in ('entries', 'kept', 'skipped', 'withdrawn'):
        op.add_column('hub_pulls', sa.Column(name, sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    for name in ('withdrawn', 'skipped', 'kept', 'entries', 'whole_at'):
        op.drop_column('hub_pulls', name)
    op.drop_column('hub_objects', 'listed')
