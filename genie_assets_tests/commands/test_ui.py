"""The UI ends only when its user wants it to; else that is an error, whatever `dagster dev` makes of it."""

import click
import pytest

from genie_assets.commands.ui import serve_ui
from genie_assets_tests.e2e.deployment import free_port


@pytest.mark.servers
def test_a_ui_that_ends_by_itself_is_an_error(tmp_path):
    """With its webserver or daemon killed, `dagster dev` ends with 0: nobody would have started it again."""
    (tmp_path / "dagster.yaml").write_text("no_such_setting: true\n", encoding="utf-8")
    with pytest.raises(click.ClickException, match="Start both again"):
        serve_ui(tmp_path, free_port(), {})
