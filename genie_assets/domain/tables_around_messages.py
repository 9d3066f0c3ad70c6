"""What lies around messages: comments on them, and the steps of agents."""

from genie_assets.domain.columns import COURSE, FAILURE, INGESTION, api, audit, ours
from genie_assets.domain.table import Table

MESSAGE_COMMENTS = Table(
    name="message_comments",
    asset="message_comments",
    row="comment on a message",
    description="What people wrote about messages: comments, and requests for a review. They are as confidential "
    "as the questions. A comment that is gone stays, and says so.",
    key=("workspace_id", "message_id", "comment_id"),
    statistics=("workspace_id", "space_id", "conversation_id", "message_id", "comment_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the message."),
        api("space_id", "STRING", "Its space."),
        api("conversation_id", "STRING", "Its conversation."),
        api("message_id!", "STRING", "The message."),
        api("comment_id!", "STRING", "The comment; a hash of what it says, if the API names none."),
        api("user_id", "STRING", "Who wrote it, as the workspace numbers people."),
        api("content", "STRING", "What it says."),
        api("comment_type", "STRING", "FIX_IT or REQUEST_REVIEW, where the API says so; NULL elsewhere."),
        api("created_timestamp", "LONG", "When it was written, epoch ms UTC."),
        ours("is_deleted", "BOOLEAN", "The comments of the message were listed to the end since, without it."),
        ours("deleted_seen_timestamp", "TIMESTAMP", "First look that did not find it; NULL while it is there."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        api(
            "raw_json",
            "STRING",
            "The comment as the API gave it, with all that is not known here, when a list last showed all of it.",
            is_document=True,
        ),
        *INGESTION,
    ),
)

MESSAGE_COMMENT_LOOKS = Table(
    name="message_comment_looks",
    asset="message_comments",
    row="message whose comments were listed",
    description="How current message_comments is: which messages' comments were listed to the end, and what for.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "event_comment_time"),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the message."),
        audit("space_id", "STRING", "Its space."),
        audit("conversation_id", "STRING", "Its conversation."),
        audit("message_id!", "STRING", "The message."),
        audit(
            "event_comment_time",
            "TIMESTAMP",
            "Latest event about its comments that was known then; just before it, if they are to be listed once "
            "more because another run listed them, too. NULL while they are being stored.",
        ),
        api("comment_count", "LONG", "Comments that were listed."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When they were asked for."),
        *INGESTION,
    ),
)

COMMENT_FETCH_ERRORS = Table(
    name="comment_fetch_errors",
    asset="message_comments",
    row="message whose comments could not be listed",
    description="The error ledger of comments: why those on a message could not be listed, when they are tried "
    "again, how it ended.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the message."),
        audit("space_id", "STRING", "Its space."),
        audit("conversation_id", "STRING", "Its conversation."),
        audit("message_id!", "STRING", "The message."),
        *FAILURE,
        *COURSE,
    ),
)

AGENT_CONVERSATIONS = Table(
    name="agent_conversations",
    asset="agent_items",
    row="conversation with an agent",
    description="Which conversations are in agent mode, by the audit log or by the lists of reconciliation.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "last_event_time"),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("workspace_url", "STRING", "Its address, as far as it is known."),
        audit("space_id", "STRING", "The agent, which is a Genie space."),
        audit("conversation_id!", "STRING", "The conversation."),
        audit(
            "first_event_time", "TIMESTAMP", "Earliest event that names an agent; NULL if only a list shows it."
        ),
        audit("last_event_time", "TIMESTAMP", "Latest event that names an agent and is no read."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)

AGENT_ITEMS = Table(
    name="agent_items",
    asset="agent_items",
    row="step of a conversation with an agent",
    description="How agents came to their answers: messages, reasoning, the SQL that they ran, what came of it. "
    "Steps are as confidential as the questions and may hold rows of data.",
    key=("workspace_id", "conversation_id", "item_id"),
    statistics=("workspace_id", "space_id", "conversation_id", "item_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the agent."),
        api("space_id", "STRING", "The agent, which is a Genie space."),
        api("conversation_id!", "STRING", "The conversation."),
        api("item_id!", "STRING", "The step; a hash of what it says, if the API names none."),
        api("item_ordinal", "INT", "Its place in the conversation, the first one is 1."),
        api("item_type", "STRING", "message, reasoning, function_call, function_call_output, or what is new."),
        api("item_role", "STRING", "Of a message: who says it, user or assistant."),
        api("item_status", "STRING", "How the step stands, where the API says so."),
        api("response_id", "STRING", "The response that it belongs to, where the API says so."),
        api("call_id", "STRING", "Of a call and its output: what joins the two."),
        api("function_name", "STRING", "Of a call: what is called, such as execute_sql."),
        api("query_sql", "STRING", "Of a call: the SQL among its arguments."),
        api("text_content", "STRING", "What it says, or what came of a call, as Markdown.", is_document=True),
        api("created_timestamp", "LONG", "When it was made, epoch ms UTC, where the API says so."),
        ours("is_deleted", "BOOLEAN", "The conversation was listed to the end since, without it."),
        ours("deleted_seen_timestamp", "TIMESTAMP", "First look that did not find it; NULL while it is there."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        api(
            "raw_json",
            "STRING",
            "The step as the API gave it, with all that is not known here, when a list last showed all of it.",
            is_document=True,
        ),
        *INGESTION,
    ),
)

AGENT_CONVERSATION_LOOKS = Table(
    name="agent_conversation_looks",
    asset="agent_items",
    row="conversation with an agent whose steps were listed",
    description="How current agent_items is: which conversations' steps were listed to the end, and what for.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "event_time"),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("space_id", "STRING", "The agent."),
        audit("conversation_id!", "STRING", "The conversation."),
        audit(
            "event_time",
            "TIMESTAMP",
            "Latest event whose response had surely ended when it was listed; just before it, if it is to be "
            "listed once more because another run listed it, too. NULL if none is known, and while steps are "
            "being stored.",
        ),
        api("item_count", "LONG", "Steps that were listed."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When they were asked for."),
        *INGESTION,
    ),
)

AGENT_FETCH_ERRORS = Table(
    name="agent_fetch_errors",
    asset="agent_items",
    row="conversation with an agent whose steps could not be listed",
    description="The error ledger of agents' steps: why those of a conversation could not be listed, when they "
    "are tried again, how it ended.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("space_id", "STRING", "The agent."),
        audit("conversation_id!", "STRING", "The conversation."),
        *FAILURE,
        *COURSE,
    ),
)
