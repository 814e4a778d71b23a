"""The history of availability begins with how stations stood when it was first kept."""

from sqlalchemy import text

from app import migrations
from app.store.database.engine import open_store

STATIONS = """
INSERT INTO stations (id, state, doc, epoch, turn, online, disconnected_at, created_at, last_updated) VALUES
    ('ON', 'accepted', '{}', 1, 0, TRUE, 5, 1, 1), ('AWAY', 'accepted', '{}', 1, 0, FALSE, 70, 1, 1)
"""
CONNECTORS = """
INSERT INTO connectors (station_id, evse, connector, status, error_code, status_at, received_at) VALUES
    ('ON', 0, 0, 'Faulted', 'InternalError', 9, 9), ('ON', 1, 1, 'Charging', 'NoError', 10, 10),
    ('ON', 1, 2, 'Available', 'NoError', 20, 20), ('ON', 2, 1, 'Unavailable', 'NoError', 30, 30),
    ('ON', 3, 1, 'Faulted', 'GroundFailure', 40, 40), ('AWAY', 1, 1, 'Faulted', 'GroundFailure', 50, 50)
"""


async def test_what_is_known_of_each_evse_is_its_first_turn(database_url: str) -> None:
    store = await open_store(database_url)
    await migrations.downgrade(store.writer, "0012")
    async with store.writer.begin() as connection:
        await connection.execute(text(STATIONS))
        await connection.execute(text(CONNECTORS))
    await migrations.upgrade(store.writer)
    wanted = text("SELECT station_id, evse, at, standing FROM availability ORDER BY station_id, evse")
    async with store.writer.connect() as connection:
        found = [tuple(row) for row in await connection.execute(wanted)]
    await store.close()
    assert found == [
        ("AWAY", 1, 70, "offline"),
        ("ON", 1, 20, "serving"),
        ("ON", 2, 30, "unavailable"),
        ("ON", 3, 40, "faulted"),
    ]
