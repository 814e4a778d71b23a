"""When EVSEs could serve: a row for each turn. What is known of each now is where its history begins."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0014'
branch_labels = None
depends_on = None

AS_IT_STANDS = """
INSERT INTO availability (station_id, evse, at, standing)
SELECT s.id, c.evse,
    CASE WHEN s.online THEN max(c.received_at) ELSE max(coalesce(s.disconnected_at, c.received_at)) END,
    CASE WHEN NOT s.online THEN 'offline'
        WHEN max(CASE c.status WHEN 'Faulted' THEN 1 ELSE 0 END) = 1 THEN 'faulted'
        WHEN max(CASE c.status WHEN 'Unavailable' THEN 1 ELSE 0 END) = 1 THEN 'unavailable'
        ELSE 'serving' END
FROM stations s JOIN connectors c ON c.station_id = s.id
WHERE c.evse <> 0
GROUP BY s.id, s.online, s.disconnected_at, c.evse
"""


def upgrade() -> None:
    op.create_table('availability',
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('evse', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('standing', sa.Text(), nullable=False),
    sa.Column('error_code', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('station_id', 'evse', 'at'),
    sqlite_with_rowid=False,
    )
    op.create_table('availability_days',
    sa.Column('day', sa.BigInteger(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('known', sa.BigInteger(), nullable=False),
    sa.Column('served', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'station_id'),
    sqlite_with_rowid=False,
    )
    op.execute(AS_IT_STANDS)


def downgrade() -> None:
    op.drop_table('availability_days')
    op.drop_table('availability')
