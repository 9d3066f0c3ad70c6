"""`message_comments`: list the comments on messages of which the audit log shows that somebody commented on them.

Which these are, and what a list says, is decided in `domain.comments`.
"""

from collections.abc import Collection

from genie_assets.domain.comments import GONE, OF_A_REFERENCE, TO_LIST, comments_look, requests_for
from genie_assets.domain.questions import Rows, Wanted
from genie_assets.domain.tables import COMMENT_FETCH_ERRORS, GENIE_MESSAGES_TO_FETCH
from genie_assets.domain.whole_lists import COMMENTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import end_gone, leave_out, left_out_question
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.whole_lists import ListsReport, keep_lists


def keep_comments(run: Run, chosen: Collection[str], *, genie: Genie, lake: Lakehouse) -> ListsReport:
    """List the comments on every message that somebody commented on since they were last listed.

    Args:
        run: The run.
        chosen: Workspaces that are looked at; none stands for all.
        genie: The API.
        lake: The tables.
    """
    found = lake.together(
        {
            "to list": Wanted(Rows(GENIE_MESSAGES_TO_FETCH, TO_LIST), OF_A_REFERENCE),
            "gone": Wanted(Rows(COMMENT_FETCH_ERRORS, GONE), COMMENT_FETCH_ERRORS.column_names),
            "left out": left_out_question(COMMENT_FETCH_ERRORS, chosen),
        }
    )
    end_gone(lake, COMMENT_FETCH_ERRORS, found["gone"], run.clock())
    leave_out(lake, COMMENT_FETCH_ERRORS, found["left out"], run.clock())
    requests = requests_for(found["to list"], chosen)
    return keep_lists(requests, COMMENTS, comments_look, genie=genie, lake=lake, run=run)
