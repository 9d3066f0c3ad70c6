"""Whatever happens on the way, the tables end as those of a pipeline that was run once, in the end.

Only what an earlier look could know may be known besides. A seed that fails is lived through again with
`python -m genie_assets_tests.e2e.any_history SEED`.
"""

from pathlib import Path

import pytest

from genie_assets_tests.e2e.any_history import lived

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

MORE = [pytest.param(seed, marks=pytest.mark.rare) for seed in range(4, 30)]


@pytest.mark.parametrize("seed", [1, 2, 3, *MORE])
def test_any_history_ends_as_if_everything_had_been_loaded_once(seed: int, tmp_path: Path) -> None:
    told = lived(seed, tmp_path)
    assert told.problems == [], told.did


@pytest.mark.rare
def test_any_history_ends_so_in_files_too(tmp_path: Path) -> None:
    told = lived(1, tmp_path, in_files=True)
    assert told.problems == [], told.did
