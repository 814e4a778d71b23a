"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('cdrs',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('session_id', sa.Text(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=True),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ref')
    )
    op.create_index('ix_cdrs_last_updated', 'cdrs', ['last_updated'], unique=False)
    op.create_index('ix_cdrs_owner', 'cdrs', ['country_code', 'party_id', 'seq'], unique=False)
    op.create_index('ix_cdrs_session_id', 'cdrs', ['session_id'], unique=False)
    op.create_index('ix_cdrs_state', 'cdrs', ['state', 'seq'], unique=False)
    op.create_table('commands',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('deadline', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('response', sa.Text(), nullable=True),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_commands_open_deadline', 'commands', ['answered_at', 'deadline'], unique=False)
    op.create_index('ix_commands_station_open', 'commands', ['station_id', 'answered_at'], unique=False)
    op.create_table('connectors',
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('evse', sa.BigInteger(), nullable=False),
    sa.Column('connector', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('error_code', sa.Text(), nullable=False),
    sa.Column('info', sa.Text(), nullable=True),
    sa.Column('vendor_id', sa.Text(), nullable=True),
    sa.Column('vendor_error_code', sa.Text(), nullable=True),
    sa.Column('status_at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('station_id', 'evse', 'connector')
    )
    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('rank', sa.BigInteger(), nullable=False),
    sa.Column('whole', sa.Boolean(), nullable=False),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('confirmed', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('leased_until', sa.BigInteger(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('delivered_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('partner_id', 'kind', 'object_id', name='uq_deliveries_object')
    )
    op.create_index('ix_deliveries_due', 'deliveries', ['state', 'next_at'], unique=False)
    op.create_index('ix_deliveries_order', 'deliveries', ['partner_id', 'state', 'rank', 'created_at'], unique=False)
    op.create_table('evses',
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('override', sa.Text(), nullable=True),
    sa.Column('reported', sa.Text(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('location_id', 'uid')
    )
    op.create_table('frames',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('request', sa.LargeBinary(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('deviations', sa.Text(), nullable=True),
    sa.Column('block', sa.BigInteger(), sa.Computed('id / 2048', persisted=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_frames_block', 'frames', ['block', 'station_id', 'id'], unique=False)
    op.create_table('lanes',
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.Column('retry_at', sa.BigInteger(), nullable=True),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('last_success', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('partner_id')
    )
    op.create_table('locations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('id_key', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.Column('roaming', sa.Boolean(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id_key')
    )
    op.create_index('ix_locations_last_updated', 'locations', ['last_updated'], unique=False)
    op.create_index('ix_locations_seq', 'locations', ['seq', 'id'], unique=False)
    op.create_table('messages',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('partner_id', sa.Text(), nullable=True),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=False),
    sa.Column('correlation_id', sa.Text(), nullable=False),
    sa.Column('http_status', sa.BigInteger(), nullable=True),
    sa.Column('ocpi_status', sa.BigInteger(), nullable=True),
    sa.Column('duration_ms', sa.BigInteger(), nullable=True),
    sa.Column('request', sa.Text(), nullable=True),
    sa.Column('response', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_messages_at', 'messages', ['at'], unique=False)
    op.create_index('ix_messages_correlation', 'messages', ['correlation_id'], unique=False)
    op.create_index('ix_messages_partner', 'messages', ['partner_id', 'id'], unique=False)
    op.create_table('partner_endpoints',
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('module', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('partner_id', 'module', 'role')
    )
    op.create_table('partner_parties',
    sa.Column('partner_id', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('platform', sa.Text(), nullable=False),
    sa.Column('business_details', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('partner_id', 'role', 'country_code', 'party_id')
    )
    op.create_index('ux_partner_parties_party', 'partner_parties', ['platform', 'country_code', 'party_id', 'role'], unique=True)
    op.create_table('partners',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('platform', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.Text(), nullable=True),
    sa.Column('previous_token_hash', sa.Text(), nullable=True),
    sa.Column('previous_until', sa.BigInteger(), nullable=True),
    sa.Column('token_out', sa.Text(), nullable=True),
    sa.Column('versions_url', sa.Text(), nullable=True),
    sa.Column('version', sa.Text(), nullable=True),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_contact', sa.BigInteger(), nullable=True),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('token_hash')
    )
    op.create_table('quarantine',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('frame', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_quarantine_station', 'quarantine', ['station_id', 'id'], unique=False)
    op.create_table('samples',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('evse', sa.BigInteger(), nullable=False),
    sa.Column('connector', sa.BigInteger(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=True),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('reading', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_samples_ref', 'samples', ['ref'], unique=False)
    op.create_table('sessions',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=True),
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('snapshot', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ref')
    )
    op.create_index('ix_sessions_last_updated', 'sessions', ['last_updated'], unique=False)
    op.create_index('ix_sessions_owner', 'sessions', ['country_code', 'party_id', 'seq'], unique=False)
    op.create_table('station_events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_station_events_station', 'station_events', ['station_id', 'id'], unique=False)
    op.create_table('stations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=True),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('online', sa.Boolean(), nullable=False),
    sa.Column('connected_at', sa.BigInteger(), nullable=True),
    sa.Column('disconnected_at', sa.BigInteger(), nullable=True),
    sa.Column('last_seen', sa.BigInteger(), nullable=True),
    sa.Column('adopt_until', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_stations_location_id', 'stations', ['location_id'], unique=False)
    op.create_index('ix_stations_state', 'stations', ['state'], unique=False)
    op.create_table('tariffs',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('id_key', sa.Text(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id_key')
    )
    op.create_index('ix_tariffs_last_updated', 'tariffs', ['last_updated'], unique=False)
    op.create_index('ix_tariffs_seq', 'tariffs', ['seq', 'id'], unique=False)
    op.create_table('tokens',
    sa.Column('country_code', sa.Text(), nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('uid_key', sa.Text(), nullable=False),
    sa.Column('own', sa.Boolean(), nullable=False),
    sa.Column('doc', sa.Text(), nullable=False),
    sa.Column('valid', sa.Boolean(), nullable=False),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('country_code', 'party_id', 'uid', 'type')
    )
    op.create_index('ix_tokens_uid_key', 'tokens', ['uid_key'], unique=False)
    op.create_table('transactions',
    sa.Column('ref', sa.Text(), nullable=False),
    sa.Column('station_id', sa.Text(), nullable=False),
    sa.Column('start_key', sa.Text(), nullable=False),
    sa.Column('ocpp_id', sa.BigInteger(), nullable=True),
    sa.Column('id_tag', sa.Text(), nullable=True),
    sa.Column('evse', sa.BigInteger(), nullable=False),
    sa.Column('connector', sa.BigInteger(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('stopped_at', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('meter_start', sa.Text(), nullable=True),
    sa.Column('meter_stop', sa.Text(), nullable=True),
    sa.Column('stop_reason', sa.Text(), nullable=True),
    sa.Column('energy_wh', sa.Text(), nullable=True),
    sa.Column('session_id', sa.Text(), nullable=True),
    sa.Column('flags', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('last_updated', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('ref'),
    sa.UniqueConstraint('station_id', 'ocpp_id', name='uq_transactions_ocpp_id'),
    sa.UniqueConstraint('station_id', 'start_key', name='uq_transactions_start_key')
    )
    op.create_index('ix_transactions_active_started_at', 'transactions', ['active', 'started_at'], unique=False)
    op.create_index('ix_transactions_received_at', 'transactions', ['received_at'], unique=False)
    op.create_index('ix_transactions_station_active', 'transactions', ['station_id', 'active'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_transactions_station_active', table_name='transactions')
    op.drop_index('ix_transactions_received_at', table_name='transactions')
    op.drop_index('ix_transactions_active_started_at', table_name='transactions')
    op.drop_table('transactions')
    op.drop_index('ix_tokens_uid_key', table_name='tokens')
    op.drop_table('tokens')
    op.drop_index('ix_tariffs_seq', table_name='tariffs')
    op.drop_index('ix_tariffs_last_updated', table_name='tariffs')
    op.drop_table('tariffs')
    op.drop_index('ix_stations_state', table_name='stations')
    op.drop_index('ix_stations_location_id', table_name='stations')
    op.drop_table('stations')
    op.drop_index('ix_station_events_station', table_name='station_events')
    op.drop_table('station_events')
    op.drop_index('ix_sessions_owner', table_name='sessions')
    op.drop_index('ix_sessions_last_updated', table_name='sessions')
    op.drop_table('sessions')
    op.drop_index('ix_samples_ref', table_name='samples')
    op.drop_table('samples')
    op.drop_index('ix_quarantine_station', table_name='quarantine')
    op.drop_table('quarantine')
    op.drop_table('partners')
    op.drop_index('ux_partner_parties_party', table_name='partner_parties')
    op.drop_table('partner_parties')
    op.drop_table('partner_endpoints')
    op.drop_index('ix_messages_partner', table_name='messages')
    op.drop_index('ix_messages_correlation', table_name='messages')
    op.drop_index('ix_messages_at', table_name='messages')
    op.drop_table('messages')
    op.drop_index('ix_locations_seq', table_name='locations')
    op.drop_index('ix_locations_last_updated', table_name='locations')
    op.drop_table('locations')
    op.drop_table('lanes')
    op.drop_index('ix_frames_block', table_name='frames')
    op.drop_table('frames')
    op.drop_table('evses')
    op.drop_index('ix_deliveries_order', table_name='deliveries')
    op.drop_index('ix_deliveries_due', table_name='deliveries')
    op.drop_table('deliveries')
    op.drop_table('connectors')
    op.drop_index('ix_commands_station_open', table_name='commands')
    op.drop_index('ix_commands_open_deadline', table_name='commands')
    op.drop_table('commands')
    op.drop_index('ix_cdrs_state', table_name='cdrs')
    op.drop_index('ix_cdrs_session_id', table_name='cdrs')
    op.drop_index('ix_cdrs_owner', table_name='cdrs')
    op.drop_index('ix_cdrs_last_updated', table_name='cdrs')
    op.drop_table('cdrs')
