"""Why an operator lets a refused record of others pass."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('hub_cdrs', sa.Column('allowed', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('hub_cdrs', 'allowed')
