"""Links into Databricks: of a space that is named as Genie names one, in a workspace whose address is one."""

import pytest

from genie_assets.domain.links import space_link

HOST = "https://adb-1.azuredatabricks.net"


@pytest.mark.parametrize("url", [HOST, f"{HOST}/", f"{HOST}/?o=17"])
def test_a_space_has_an_address_in_its_workspace(url: str) -> None:
    assert space_link(url, "17", "01ef-a_b") == f"{HOST}/genie/rooms/01ef-a_b?o=17"


@pytest.mark.parametrize(
    ("url", "workspace_id", "space_id"),
    [
        (None, "17", "s1"),
        (HOST, "17", None),
        (HOST, "17", "s1](https://evil.example)"),
        (HOST, "17", "../s1"),
        (HOST, "w1", "s1"),
        ("http://adb-1.azuredatabricks.net", "17", "s1"),
        ("https://evil.example/path", "17", "s1"),
        ("https://user@evil.example", "17", "s1"),
        ("javascript:alert(1)", "17", "s1"),
        (f"{HOST}\n", "17", "s1"),
    ],
)
def test_what_is_no_address_is_no_link(url: str | None, workspace_id: str, space_id: str | None) -> None:
    assert space_link(url, workspace_id, space_id) is None
