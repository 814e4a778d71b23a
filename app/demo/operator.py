"""The demo's operator: sets the world up through the admin API, as a person would."""

from typing import Any

import httpx

from app.demo import world
from app.demo.memory import Memory


class Operator:
    """A client of the admin API. All calls block: run them in a thread."""

    def __init__(self, base_url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url}/admin/v1",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def set_up(self, password: str) -> None:
        """Tariffs, locations and stations that are not there yet."""
        for tariff_id, tariff in world.tariffs().items():
            self._put_new(f"/tariffs/{tariff_id}", tariff)
        for site in world.SITES:
            self._put_new(f"/locations/{site.id}", world.location(site))
            for post in site.stations:
                self._put_new(f"/stations/{post.id}", world.station(site, post, password))

    def invite(
        self, memory: Memory, name: str, *, known: bool = True, platform: str = "cpo"
    ) -> dict[str, Any]:
        """The invitation of this name, made once; made anew if the partner is gone.

        `known`: the partner still has what it needs to talk to us. If it has lost it, or never used its
        invitation, the answer has a `token_a` to register with; else `registered` is true.
        """
        name_of = f"invitation:{name}"
        kept = memory.get(name_of)
        state = self._state(kept["id"]) if kept is not None else None
        if state == "registered" and known:
            return {**kept, "registered": True}
        if state == "invited":
            return {**kept, "registered": False}
        path = "/partners" if state is None else f"/partners/{kept['id']}/reinvite"
        body = {"name": name, "platform": platform} if state is None else {}
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        memory.put(name_of, answer.json())
        return {**answer.json(), "registered": False}

    def agree(self, one: str, other: str) -> None:
        """Let two parties behind the hub reach each other."""
        self._put_new(f"/hub/agreements/{one}/{other}", {})

    def refuse_wrong_prices(self, partner_id: str) -> None:
        """From now on the hub refuses records of this CPO that its tariffs do not explain."""
        answer = self._http.patch(f"/partners/{partner_id}", json={"clearing": {"price": "refuse"}})
        answer.raise_for_status()

    def _state(self, partner_id: str) -> str | None:
        answer = self._http.get(f"/partners/{partner_id}")
        return str(answer.json()["state"]) if answer.status_code == 200 else None

    def _put_new(self, path: str, body: dict[str, Any]) -> None:
        if self._http.get(path).status_code == 404:
            self._http.put(path, json=body).raise_for_status()
