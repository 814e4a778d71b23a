"""What the house does again and again, and how often."""

from app.kit.clock import Clock
from app.kit.periodic import Periodic
from app.outbox.alerts import Alerts
from app.services.commands import Commands
from app.services.housekeeping import Housekeeping
from app.services.intake.intake import Intake
from app.services.remote import RemoteControl
from app.services.setting_up.commissioning import Commissioner
from app.services.setting_up.fresh_status import FreshStatus
from app.services.setting_up.pacing import TICK_SECONDS
from app.services.setting_up.station_settings import StationSettings
from app.store.database.engine import Store


def remote_rounds(control: RemoteControl, commands: Commands) -> list[Periodic]:
    """Commands of partners and operators that wait for a station."""
    return [
        Periodic("remote-commands", 1.0, control.tend, at_once=True),
        Periodic("overdue-calls", 60.0, commands.end_overdue),
        Periodic("old-grants", 3600.0, control.forget_grants),
    ]


def station_rounds(
    store: Store, clock: Clock, intake: Intake, station_settings: StationSettings, *, commissioning: bool
) -> list[Periodic]:
    """Those who see to stations that boot or come back, each at its own pace."""
    fresh = FreshStatus(clock, intake, station_settings)
    store.after_commit(fresh.heard)
    rounds = [Periodic("status-after-reconnect", TICK_SECONDS, fresh.queue.go_on)]
    if commissioning:
        commissioner = Commissioner(store, clock, intake, station_settings)
        store.after_commit(commissioner.heard)
        rounds.append(Periodic("commissioning", TICK_SECONDS, commissioner.queue.go_on))
    return rounds


def house_rounds(store: Store, intake: Intake, clock: Clock) -> list[Periodic]:
    """What nobody says: silence, forgotten transactions, and what is old enough to go."""
    keeping = Housekeeping(store, intake, clock)
    return [
        Periodic("silent-stations", 15.0, keeping.notice_silence),
        Periodic("forgotten-transactions", 3600.0, keeping.close_forgotten, at_once=True),
        Periodic("old-frames", 3600.0, keeping.forget_frames),
        Periodic("availability-of-days", 3600.0, keeping.sum_up_availability, at_once=True),
    ]


def own_rounds(keeping: Housekeeping) -> list[Periodic]:
    """Rounds of every process, for what it has in memory."""
    return [Periodic("overdue-transactions", 60.0, keeping.close_overdue)]


def alert_rounds(alerts: Alerts) -> list[Periodic]:
    """Alarms that begin and end, and the webhooks that hear of them."""
    return [
        Periodic("alarms", 10.0, alerts.notice),
        Periodic("alerts", 2.0, alerts.deliver),
        Periodic("old-alerts", 3600.0, alerts.forget),
    ]
