"""Hard cases that a test adds to an account on purpose: each happens once, at a time that the test gives.

A scenario takes an account and gives one with more in it; what was there stays as it is. Times are epoch ms, UTC;
`at` is when the case begins. What the tables must hold in the end, `truth` works out of the account. Everyday
noise is in `noise`; texts and ids that break code are in `hostile`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from genie_sandbox.account import Account, SpaceState, Workspace
from genie_sandbox.made_up.cases import ASK, NEVER, Case, query, text
from genie_sandbox.randomness import DAY, HOUR, MINUTE, SECOND

Scenario = Callable[[Account, int], Account]


def late_rows(account: Account, at: int) -> Account:
    """Nine questions whose audit rows arrive one to twenty days late."""
    case = Case(account, "late", at)
    for number, days in enumerate((1, 2, 3, 4, 6, 9, 13, 17, 20)):
        asked = at + number * HOUR
        case.message(f"m{number}", asked, conversation=f"c{number}").ask(f"m{number}", asked, late=days * DAY)
    return case.account()


def late_vote(account: Account, at: int) -> Account:
    """A rating ten days after the answer, whose audit row needs five more."""
    case = Case(account, "vote", at)
    case.message("m", at).ask("m", at).change("m", at + 10 * DAY, feedback={"rating": "POSITIVE"})
    return case.event("m", at + 10 * DAY, "updateConversationMessageFeedback", late=5 * DAY).account()


def vote_after_a_read(account: Account, at: int) -> Account:
    """A rating two minutes after the hour at which everything was read."""
    case = Case(account, "quick", at)
    hour = at - at % HOUR + 2 * HOUR
    case.message("m", at).ask("m", at).change("m", hour + 2 * MINUTE, feedback={"rating": "NEGATIVE"})
    return case.event("m", hour + 2 * MINUTE, "genieSendMessageFeedback").account()


def account_level_rows(account: Account, at: int) -> Account:
    """Rows of Genie that belong to no workspace: they look like messages and are none."""
    case = Case(account, "account", at, workspace_id="0")
    for number, action in enumerate((ASK, "getConversationMessage", "updateSpace")):
        case.event(f"m{number}", at + number * MINUTE, action)
    return case.account()


def agent_events(account: Account, at: int) -> Account:
    """Questions to an agent: they name the agent and its response, and no message."""
    case = Case(account, "agent", at)
    for number, action in enumerate(("createAgentResponse", "createAgentResponse", "steerAgentConversation")):
        params = {"agent_id": case.space_id, "response_id": case.id(f"r{number}")}
        case.event(None, at + number * MINUTE, action, params=params)
    return case.account()


def asked_by_ourselves(account: Account, at: int) -> Account:
    """An app asks as our own principal and rates the answer; our own reads of both are no usage."""
    us = account.principal.application_id
    case = Case(account, "ours", at, actor=us)
    case.message("m", at, user_id=account.principal.user_id).ask("m", at)
    case.change("m", at + HOUR, feedback={"rating": "POSITIVE"})
    case.event("m", at + HOUR, "genieSendMessageFeedback")
    return case.event("m", at + 2 * DAY, "genieGetConversationMessage").account()


def shows_less_later(account: Account, at: int) -> Account:
    """Answers that are withheld later: without attachments, without a text, and for a while only."""
    case = Case(account, "less", at)
    whole = [query("s1", "SELECT 1"), text("t1", "The answer is 1.")]
    bare = [query("s1", "SELECT 1"), {"attachment_id": "t1", "text": {}}]
    for name, states in (("gone", [[]]), ("absent", [None]), ("bare", [bare]), ("back", [[], whole])):
        case.message(name, at, conversation=name, attachments=whole).ask(name, at)
        for number, attachments in enumerate(states, start=1):
            moment = at + number * 2 * DAY
            case.change(name, moment, attachments=attachments, feedback={"rating": "POSITIVE"})
            case.event(name, moment, "updateConversationMessageFeedback")
    other = [query("s2", "SELECT 2"), text("t2", "No, it is 2.")]
    case.message("other", at, conversation="other", attachments=whole).ask("other", at)
    case.change("other", at + 2 * DAY, attachments=other)
    return case.event("other", at + 2 * DAY, "regenerateConversationMessage").account()


def finishes_late(account: Account, at: int) -> Account:
    """Messages that run for two and for nine days, and one that never ends."""
    case = Case(account, "slow", at)
    for name, days in (("two", 2), ("nine", 9), ("ever", None)):
        case.message(name, at, conversation=name, status="EXECUTING_QUERY").ask(name, at)
        if days is not None:
            case.change(name, at + days * DAY, status="COMPLETED", attachments=[text("t", "At last.")])
    return case.account()


def expires(account: Account, at: int) -> Account:
    """An answer whose result expires later, and is rated after that: neither has stretched the answer."""
    case = Case(account, "expired", at)
    case.message("m", at).ask("m", at).change("m", at + 3 * DAY, status="QUERY_RESULT_EXPIRED")
    case.change("m", at + 4 * DAY, feedback={"rating": "POSITIVE"})
    return case.event("m", at + 4 * DAY, "updateConversationMessageFeedback").account()


def from_the_year_9999(account: Account, at: int) -> Account:
    """A message that says it was asked on 9999-12-31, beside others of the day."""
    case = Case(account, "poison", at)
    attachments = [query("q", "SELECT 9999", case.id("never run"))]
    case.message("m", at, conversation="far", created_timestamp=NEVER, attachments=attachments).ask("m", at)
    return case.message("beside", at + MINUTE).ask("beside", at + MINUTE).account()


def without_a_time(account: Account, at: int) -> Account:
    """Messages of which the API does not say when they were asked; they are read and rated on other days."""
    case = Case(account, "timeless", at)
    case.message("asked", at, conversation="one", created_timestamp=None).ask("asked", at)
    case.event("asked", at + DAY, "getConversationMessage")
    case.change("asked", at + 2 * DAY, feedback={"rating": "POSITIVE"}, last_updated_timestamp=at + 2 * DAY)
    case.event("asked", at + 2 * DAY, "updateConversationMessageFeedback")
    case.message("seen", at, conversation="two", created_timestamp=None)
    case.event("seen", at + DAY, "getConversationMessage")
    case.event("seen", at + 2 * DAY, "updateConversationMessageFeedback")
    return case.account()


def space_comes_and_goes(account: Account, at: int) -> Account:
    """A space is made private and public again, then trashed and restored; people ask all the time."""
    private, public, trashed, restored = (at + days * DAY for days in (2, 3, 5, 7))
    later = (
        SpaceState(private, "none"),
        SpaceState(public),
        SpaceState(trashed, trashed=True),
        SpaceState(restored),
    )
    case = Case(account, "comes", at)
    case.space(later)
    for name, moment in (("before", at), ("private", private + HOUR), ("between", public + HOUR)):
        case.message(name, moment, conversation=name).ask(name, moment)
    case.message("after", restored + HOUR, conversation="after").ask("after", restored + HOUR)
    actions = (
        (private, "updateSpace"),
        (public, "updateSpace"),
        (trashed, "trashSpace"),
        (restored, "restoreSpace"),
    )
    for moment, action in actions:
        case.event(None, moment, action)
    return case.account()


def returns_from_deletion(account: Account, at: int) -> Account:
    """A message is deleted and shows up again: later evidence wins. Another one stays deleted."""
    case = Case(account, "returns", at)
    for name in ("back", "gone"):
        case.message(name, at, conversation=name, deleted_at=at + DAY).ask(name, at)
        case.event(name, at + DAY, "deleteConversationMessage")
    case.restore("back", at + 3 * DAY)
    return case.event("back", at + 3 * DAY + MINUTE, "updateConversationMessage").account()


def deprecated_result(account: Account, at: int) -> Account:
    """The statement of the deprecated `query_result` belongs to another attachment than the last one."""
    case = Case(account, "result", at)
    attachments = [query("X", "SELECT 1", case.id("X")), query("Y", "SELECT 2")]
    result = {"statement_id": case.id("X"), "row_count": 3}
    case.message("m", at, attachments=attachments, query_result=result).ask("m", at)
    return case.statement(case.id("X"), "SELECT 1", at + 2 * SECOND).account()


def superseded_tries(account: Account, at: int) -> Account:
    """Answers as old messages have them: no purpose anywhere, and Genie corrects itself on the way."""
    case = Case(account, "tries", at)
    tries = [text("a", "Let me see."), query("b", "SELECT 1"), text("c", "Wrong."), query("d", "SELECT 2")]
    asks_back = text("e", "Which year?", purpose="FOLLOW_UP_QUESTION")
    summary = {"text": {"content": "It is 2."}}
    case.message("old", at, conversation="old", attachments=[query("q", "SELECT 1"), text("t", "One.")]).ask(
        "old", at
    )
    case.message("tried", at, conversation="tried", attachments=[*tries, summary]).ask("tried", at)
    case.message("asked", at, conversation="asked", attachments=[*tries[:2], asks_back, summary]).ask("asked", at)
    case.message("empty", at, conversation="empty", attachments=None).ask("empty", at)
    return case.account()


def quiet_workspace(account: Account, at: int) -> Account:
    """A workspace in which nobody asks anything; it has a space, which is worth a backup."""
    place = Workspace("7700000000000001", "Nobody asks here")
    grown = replace(account, workspaces=(*account.workspaces, place))
    case = Case(grown, "quiet", at, workspace_id=place.workspace_id)
    case.space(())
    return case.account()


SCENARIOS: tuple[Scenario, ...] = (
    late_rows,
    late_vote,
    vote_after_a_read,
    account_level_rows,
    agent_events,
    asked_by_ourselves,
    shows_less_later,
    finishes_late,
    expires,
    from_the_year_9999,
    without_a_time,
    space_comes_and_goes,
    returns_from_deletion,
    deprecated_result,
    superseded_tries,
    quiet_workspace,
)
"""All of them. They last for up to 21 days from their beginning on."""


def with_scenarios(account: Account, at: int, scenarios: Iterable[Scenario] = SCENARIOS) -> Account:
    """The account with these cases in it, all from `at` on. Its spaces, messages and rows stay as they are."""
    for scenario in scenarios:
        account = scenario(account, at)
    return account
