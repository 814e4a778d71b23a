"""What is settled about an id tag, once for each EVSE that it is expected at."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

_KEY = ('uid_key', 'station_id', 'kind')


def upgrade() -> None:
    _anew(sa.Column('evse', sa.BigInteger(), nullable=False), from_='0')


def downgrade() -> None:
    op.execute('DELETE FROM grants WHERE evse <> 0')
    _anew()


def _anew(*more: sa.Column[int], from_: str = '') -> None:
    """No database adds to a primary key in the same way as another, but all copy rows."""
    op.create_table('new_grants',
    sa.Column('uid_key', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    *more,
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint(*_KEY, *(column.name for column in more))
    )
    names, values = (', '.join([*_KEY, *mine, 'doc', 'until']) for mine in (
        [column.name for column in more], [from_] if more else []
    ))
    op.execute(f'INSERT INTO new_grants ({names}) SELECT {values} FROM grants')
    op.drop_index('ix_grants_until', table_name='grants')
    op.drop_table('grants')
    op.rename_table('new_grants', 'grants')
    op.create_index('ix_grants_until', 'grants', ['until'], unique=False)
