"""Words that Databricks answers with, as far as they are known: none of these lists is closed.

What fetches and folds accepts whatever comes. The lists are for those who want to know what is new: the contract
tests name what is not here, and recorded examples keep what is.
"""

from genie_assets.domain.agents import AGENT_MODE
from genie_assets.domain.messages import SETTLED_STATUSES

MESSAGE_STATUSES = SETTLED_STATUSES | {
    *("SUBMITTED", "FILTERING_CONTEXT", "FETCHING_METADATA", "ASKING_AI", "PENDING_WAREHOUSE", "EXECUTING_QUERY"),
}
CONVERSATION_TYPES = frozenset({AGENT_MODE, "GENIE_CONVERSATION_TYPE_CHAT"})
ATTACHMENTS = frozenset({"query", "text", "viz", "suggested_questions"})
TEXT_PURPOSES = frozenset({"FOLLOW_UP_QUESTION", "TEXT_ATTACHMENT_PURPOSE_ANSWER"})
TEXT_PHASES = frozenset({"RESPONSE_PHASE_THINKING", "RESPONSE_PHASE_VERIFYING"})
RATINGS = frozenset({"POSITIVE", "NEGATIVE", "NONE"})
THOUGHTS = frozenset(
    f"THOUGHT_TYPE_{each}" for each in ("DESCRIPTION", "UNDERSTANDING", "DATA_SOURCING", "INSTRUCTIONS", "STEPS")
)
COMMENT_TYPES = frozenset({"FIX_IT", "REQUEST_REVIEW"})
ITEM_TYPES = frozenset({"message", "reasoning", "function_call", "function_call_output"})
EVALUATION_STATUSES = frozenset(
    {"NOT_STARTED", "RUNNING", "DONE", "EVALUATION_FAILED", "EVALUATION_CANCELLED", "EVALUATION_TIMEOUT"}
)
ASSESSMENTS = frozenset({"GOOD", "BAD", "NEEDS_REVIEW"})
PERMISSION_LEVELS = frozenset({"CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"})
STATEMENT_STATES = frozenset({"PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "CLOSED"})
EXECUTION_STATUSES = frozenset({"FINISHED", "FAILED", "CANCELED"})
WORKSPACE_STATUSES = frozenset({"NOT_PROVISIONED", "PROVISIONING", "RUNNING", "FAILED", "BANNED"})

_PLAIN_ACTIONS = (
    # Genie's own; those of the public API have the prefix `genie`.
    *("createConversationMessage", "startConversationMessage", "regenerateConversationMessage"),
    *("updateConversationMessage", "getConversationMessage", "listConversationMessages"),
    *("listGenieSpaceMessages", "listGenieSpaceUserMessages", "getConversation", "listConversations"),
    *("createConversation", "updateConversation", "deleteConversation", "cancelMessage"),
    *("deleteConversationMessage", "updateMessageAttachment", "executeMessageQuery"),
    *("executeMessageAttachmentQuery", "executeQuery", "executeFullQueryResult", "getMessageQueryResult"),
    *("getMessageAttachmentQueryResult", "getQueryResultByAttachment", "getQueryResult"),
    *("generateDownloadFullQueryResult", "summarizeSqlExecutionResults", "updateConversationMessageFeedback"),
    *("sendMessageFeedback", "createConversationMessageComment", "deleteConversationMessageComment"),
    *("listConversationMessageComments", "createSpace", "cloneSpace", "updateSpace", "deleteSpace", "trashSpace"),
    *("getSpace", "listSpaces", "updateGenieColumnConfigs", "updateSampleQuestions", "createInstruction"),
    *("updateInstruction", "deleteInstruction", "listInstructions", "createCuratedQuestion"),
    *("updateCuratedQuestion", "listCuratedQuestions", "createFile", "deleteFile", "createEvaluationRun"),
    *("getEvaluationRun", "listEvaluationRuns", "cancelEvaluationRun", "resumeEvaluationRun"),
    *("createEvaluationResult", "getEvaluationResult", "updateEvaluationResult", "getEvaluationResultDetails"),
    *("listEvaluationResults", "startBenchmarkSuggestions"),
)
ACTIONS = frozenset(each.lower() for each in _PLAIN_ACTIONS)
"""Actions of the service `aibiGenie` in lower case, without the prefix `genie`."""


def is_known_action(action_name: str) -> bool:
    """Whether an action of `aibiGenie` is one that we know of."""
    name = action_name.lower()
    return name in ACTIONS or name.removeprefix("genie") in ACTIONS


WORDS = frozenset().union(
    *(MESSAGE_STATUSES, CONVERSATION_TYPES, TEXT_PURPOSES, TEXT_PHASES, RATINGS, THOUGHTS, COMMENT_TYPES),
    *(ITEM_TYPES, EVALUATION_STATUSES, ASSESSMENTS, PERMISSION_LEVELS, STATEMENT_STATES, EXECUTION_STATUSES),
    WORKSPACE_STATUSES,
)
"""All of these words but the actions."""
