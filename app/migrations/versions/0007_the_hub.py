"""The hub: what is told to everybody, whose objects are, response URLs, agreements, clients; why messages were routed."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('hub_agreements',
    sa.Column('one', sa.Text(), nullable=False),
    sa.Column('other', sa.Text(), nullable=False),
    sa.Column('modules', sa.Text(), nullable=False),
    sa.Column('ended', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('one', 'other')
    )
    op.create_table('hub_clients',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_hub_clients_seq', 'hub_clients', ['seq', 'id'], unique=False)
    op.create_table('hub_objects',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('module', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('object_key', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('message_path', sa.Text(), nullable=False),
    sa.Column('message', sa.LargeBinary(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('previous', sa.BigInteger(), nullable=True),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_hub_objects_key', 'hub_objects', ['module', 'object_key'], unique=False)
    op.create_index('ix_hub_objects_seq', 'hub_objects', ['module', 'seq', 'id'], unique=False)
    op.create_table('hub_owners',
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('object_key', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('issuer_country_code', sa.Text(), nullable=False),
    sa.Column('issuer_party_id', sa.Text(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'object_key', 'country_code', 'party_id', 'issuer_country_code', 'issuer_party_id')
    )
    op.create_table('hub_response_urls',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('module', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('sender_id', sa.Text(), nullable=False),
    sa.Column('sender_country_code', sa.Text(), nullable=False),
    sa.Column('sender_party_id', sa.Text(), nullable=False),
    sa.Column('target_id', sa.Text(), nullable=False),
    sa.Column('target_country_code', sa.Text(), nullable=False),
    sa.Column('target_party_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_hub_response_urls_created_at', 'hub_response_urls', ['created_at'], unique=False)
    op.create_table('hub_results',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('response_url_id', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('to_country_code', sa.Text(), nullable=False),
    sa.Column('to_party_id', sa.Text(), nullable=False),
    sa.Column('from_country_code', sa.Text(), nullable=False),
    sa.Column('from_party_id', sa.Text(), nullable=False),
    sa.Column('correlation_id', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_hub_results_created_at', 'hub_results', ['created_at'], unique=False)
    op.add_column('messages', sa.Column('routed', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('messages', 'routed')
    op.drop_index('ix_hub_results_created_at', table_name='hub_results')
    op.drop_table('hub_results')
    op.drop_index('ix_hub_response_urls_created_at', table_name='hub_response_urls')
    op.drop_table('hub_response_urls')
    op.drop_table('hub_owners')
    op.drop_index('ix_hub_objects_seq', table_name='hub_objects')
    op.drop_index('ix_hub_objects_key', table_name='hub_objects')
    op.drop_table('hub_objects')
    op.drop_index('ix_hub_clients_seq', table_name='hub_clients')
    op.drop_table('hub_clients')
    op.drop_table('hub_agreements')
