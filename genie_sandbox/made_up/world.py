"""The standing parts of a made-up account: workspaces, people, spaces and our own principal."""

import random
from dataclasses import dataclass
from typing import Any

from genie_sandbox.account import Principal, Space, Workspace
from genie_sandbox.made_up.businesses import BUSINESSES, Business
from genie_sandbox.made_up.space_bodies import space_body
from genie_sandbox.randomness import dashed_id, genie_id, number_id, stream

_WORKSPACES = (
    ("Polaris Production EU", "full"),
    ("Polaris Production US", "slash"),
    ("Polaris Health & Insurance", "bare"),
    ("Polaris Laboratório ☀", "full"),
    ("Polaris Sandbox", "slash"),
)
# They are in the account's list, and nobody answers: they have neither spaces nor events.
_SILENT_WORKSPACES = (
    ("Polaris Trading (closed)", "BANNED", "full"),
    ("Polaris Labs (new)", "PROVISIONING", "none"),
)
_NAMES = [
    "ana.silva",
    "bjørn.dahl",
    "carla.rossi",
    "daniel.okafor",
    "émilie.laurent",
    "farid.haddad",
    "grace.kim",
    "hannah.schmidt",
    "ivan.petrov",
    "jürgen.groß",
    "katarzyna.nowak",
    "liam.murphy",
    "mei.chen",
    "noah.williams",
    "olga.sokolova",
    "priya.sharma",
    "quentin.moreau",
    "rosa.garcía",
    "søren.kjær",
    "tomás.núñez",
    "usha.patel",
    "vera.lind",
    "wei.zhang",
    "ximena.lópez",
    "yuki.tanaka",
    "zoë.van.dijk",
    "aisha.khan",
    "ben.carter",
    "chloé.d'arcy",
    "diego.fernández",
    "eva.horvat",
    "felix.braun",
    "giulia.conti",
    "hiro.sato",
    "ines.ferreira",
    "jakub.wójcik",
    "kofi.mensah",
    "lena.fischer",
    "marco.bianchi",
    "nadia.rahman",
    "oscar.nilsson",
    "paula.costa",
    "rafael.santos",
    "sara.cohen",
    "tariq.aziz",
    "ulrike.weiß",
    "viktor.novák",
    "wanda.kowalska",
    "李娜",
    "мария.иванова",
]
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
)


@dataclass(frozen=True)
class Person:
    """Somebody who acts: a user, a service principal, or our own principal."""

    identities: tuple[dict[str, str | None], ...]  # how the audit log spells this person (user_identity)
    user_id: int
    hours_ahead: float  # of UTC
    user_agent: str
    address: str
    session_id: str
    by_api: bool = False

    @property
    def name(self) -> str:
        """What the audit log knows this person by."""
        return self.identities[0]["email"] or ""


@dataclass(frozen=True)
class Room:
    """A space and what people ask there."""

    space: Space
    business: Business
    weight: float

    @property
    def workspace_id(self) -> str:
        """Workspace of the space."""
        return self.space.workspace_id


@dataclass(frozen=True)
class World:
    """Everything that stands before anybody asks."""

    account_id: str
    warehouse_id: str
    principal: Principal
    ourselves: Person
    workspaces: tuple[Workspace, ...]
    people: tuple[Person, ...]
    robot: Person  # a service principal that asks
    rooms: tuple[Room, ...]  # readable spaces in which people ask
    forbidden: Room  # our principal may not read it
    trashed: Room


def build_world(seed: int, *, unlisted_workspaces: int = 0, workspaces: int = len(_WORKSPACES)) -> World:
    """The standing parts for `seed`; the last `unlisted_workspaces` are missing from `workspaces_latest`."""
    rng = stream(seed, "world")
    listed = workspaces - unlisted_workspaces
    places = tuple(
        Workspace(str(number_id(rng)), name, url_style=style, listed=position < listed)
        for position, (name, style) in enumerate(_WORKSPACES[:workspaces])
    )
    warehouse_id = f"{rng.getrandbits(64):016x}"
    principal = Principal(
        application_id=dashed_id(rng),
        client_secret=f"dose{rng.getrandbits(128):032x}",
        token=f"dapi{rng.getrandbits(128):032x}",
        user_id=number_id(rng),
    )
    rooms = _rooms(rng, places, warehouse_id)
    closed = (
        _room(rng, places[0], BUSINESSES[5], warehouse_id, title="Salaries (restricted)", access="none"),
        _room(rng, places[-1], BUSINESSES[8], warehouse_id, title="Hotel pilot (old)"),
    )
    return World(
        account_id=dashed_id(rng),
        warehouse_id=warehouse_id,
        principal=principal,
        ourselves=_machine(rng, principal.application_id, principal.user_id),
        workspaces=places,
        people=tuple(_human(rng, name) for name in _NAMES),
        robot=_machine(rng, dashed_id(rng), number_id(rng)),
        rooms=rooms,
        forbidden=closed[0],
        trashed=closed[1],
    )


def silent_workspaces(seed: int) -> tuple[Workspace, ...]:
    """Workspaces of the account of `seed` that do not run: one is banned, one is not ready yet."""
    rng = stream(seed, "silent workspaces")
    return tuple(Workspace(str(number_id(rng)), name, status, style) for name, status, style in _SILENT_WORKSPACES)


def _rooms(rng: random.Random, places: tuple[Workspace, ...], warehouse_id: str) -> tuple[Room, ...]:
    """A space per business and one more for the biggest; one may only be run, not exported."""
    rooms = []
    for position, business in enumerate(BUSINESSES):
        place = places[position % len(places)]
        access = "run" if position == len(BUSINESSES) - 1 else "manage"
        rooms.append(_room(rng, place, business, warehouse_id, access=access, weight=1.0 / (1 + position) ** 0.6))
    hostile = 'Qualité "A/B" — 1 < 2 & </script> 🏭'
    rooms.append(_room(rng, places[-1], BUSINESSES[10], warehouse_id, title=hostile, weight=0.3))
    return tuple(rooms)


def _room(
    rng: random.Random,
    place: Workspace,
    business: Business,
    warehouse_id: str,
    *,
    title: str | None = None,
    access: str = "manage",
    weight: float = 0.0,
) -> Room:
    space_id = genie_id(rng)
    body: dict[str, Any] = space_body(rng, business, space_id, warehouse_id, title or business.title)
    return Room(Space(place.workspace_id, space_id, body, access=access), business, weight)


def _human(rng: random.Random, name: str) -> Person:
    return Person(
        identities=({"email": f"{name}@polaris.example", "subject_name": None},),
        user_id=number_id(rng),
        hours_ahead=rng.choice((-5, 0, 1, 1, 2, 2, 5.5, 9)),
        user_agent=rng.choice(_AGENTS),
        address=f"198.51.100.{rng.randrange(1, 255)}",
        session_id=str(number_id(rng)),
        by_api=rng.random() < 0.15,
    )


def _machine(rng: random.Random, application_id: str, user_id: int) -> Person:
    return Person(
        identities=(
            {"email": application_id, "subject_name": None},
            {"email": None, "subject_name": application_id},
            {"email": application_id.upper(), "subject_name": None},
        ),
        user_id=user_id,
        hours_ahead=0,
        user_agent="databricks-sdk-py/0.60.0 python/3.11.9 os/linux auth/oauth-m2m",
        address="203.0.113.20",
        session_id=str(number_id(rng)),
        by_api=True,
    )
