"""Files in the staging volume, and probes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow as pa

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.lakehouse.unity.staging import Staging
from genie_assets_tests.gateways.lakehouse.examples import (
    NOTES,
    WEDNESDAY,
    note,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import staged_files
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer


def test_files_that_killed_runs_left_behind_are_swept_and_those_of_others_are_not(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    volumes, now = unity_server.volumes(), datetime.now(UTC)

    def leave(age: timedelta) -> str:
        folder = f"{place.volume_path}/{now - age:%Y%m%dT%H%M%SZ}-{uuid4().hex}"
        volumes.upload(f"{folder}/1.parquet", b"x")
        volumes.upload(f"{folder}/2.parquet", b"x")
        return folder.rpartition("/")[2]

    old, recent = leave(timedelta(hours=25)), leave(timedelta(hours=23))
    volumes.upload(f"{place.volume_path}/theirs/notes.txt", b"x")
    for tidy_up in (
        lambda: unity_server.lake(f"uc://{place.catalog}.{place.schema}").append(NOTES, NOTES.frame([note("b")])),
        lambda: lake.maintain(NOTES, today=WEDNESDAY),
    ):
        tidy_up()
        found = volumes.names(place.volume_path) or []
        assert {recent, "theirs"} <= set(found)
        assert old not in found
        old = leave(timedelta(days=3))


def test_a_process_that_lives_for_days_does_not_stage_in_a_folder_that_looks_dead(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    staging = Staging(unity_server.volumes, place, now=lambda: clock[0])
    for _ in range(3):
        clock[0] += timedelta(hours=20)
        with staging.staged(pa.table({"value": [1]}), lambda: None) as path:
            Staging(unity_server.volumes, place, now=lambda: clock[0] + timedelta(hours=3)).sweep()
            assert unity_server.volumes().delete_file(path)


def test_a_probe_writes_a_file_into_the_staging_volume_and_removes_it(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    assert not lake.probe()
    lake.prepare(NOTES)
    assert lake.probe()  # there is a schema, in which the first write makes the volume
    lake.append(NOTES, NOTES.frame([note("a")]))
    before = unity_server.volumes().names(place.volume_path)
    warehouse.statements.clear()
    assert lake.probe()
    assert warehouse.statements == []
    assert unity_server.volumes().names(place.volume_path) == before
    lake.append(NOTES, NOTES.frame([note("b")]))
    assert staged_files(unity_server, place) == []
