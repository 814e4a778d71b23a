"""What stations told of their settings, and how those came that were refused."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('station_settings',
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('read_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('station_id')
    )
    op.create_table('station_knocks',
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('station_id')
    )


def downgrade() -> None:
    op.drop_table('station_knocks')
    op.drop_table('station_settings')
