"""Evaluations of spaces, with the result of each question."""

from genie_assets.domain.columns import COURSE, FAILURE, INGESTION, api, ours
from genie_assets.domain.table import Table

_OF_A_RUN = (
    api("workspace_id!", "STRING", "Workspace of the space."),
    api("space_id!", "STRING", "Genie space."),
    api("eval_run_id!", "STRING", "The evaluation."),
)

GENIE_EVALUATION_RUNS = Table(
    name="genie_evaluation_runs",
    asset="genie_evaluation_runs",
    row="evaluation of a space",
    description="Evaluations: runs of a space's benchmark questions, with their counts. What is listed no more "
    "stays.",
    key=("workspace_id", "space_id", "eval_run_id"),
    statistics=("workspace_id", "space_id", "eval_run_id"),
    columns=(
        *_OF_A_RUN,
        api("status", "STRING", "NOT_STARTED, RUNNING, DONE, EVALUATION_FAILED and others, as the API says."),
        api("created_timestamp", "LONG", "When it was started, epoch ms UTC."),
        api("last_updated_timestamp", "LONG", "When it was last changed, epoch ms UTC."),
        api("num_questions", "LONG", "Benchmark questions that it asks."),
        api("num_done", "LONG", "Of them, those that were answered."),
        api("num_correct", "LONG", "Of them, those whose answer was found good."),
        api("num_needs_review", "LONG", "Of them, those that a person has to judge."),
        api("run_by_user", "STRING", "Who started it, as the workspace numbers people."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        ours(
            "results_kept_timestamp",
            "TIMESTAMP",
            "Look that read the last of its results with all details that were still shown; NULL until then.",
        ),
        *INGESTION,
    ),
)

GENIE_EVALUATION_RESULTS = Table(
    name="genie_evaluation_results",
    asset="genie_evaluation_runs",
    row="benchmark question of an evaluation",
    description="What came of each benchmark question of an evaluation. Databricks shows the details for about a "
    "week; here they stay. They are as confidential as questions. Rows that the SQL gave are not kept.",
    key=("workspace_id", "space_id", "eval_run_id", "result_id"),
    statistics=("workspace_id", "space_id", "eval_run_id", "result_id"),
    columns=(
        *_OF_A_RUN,
        api("result_id!", "STRING", "The result."),
        api("benchmark_question_id", "STRING", "Id of the question in the space's configuration."),
        api("question", "STRING", "The question."),
        api("benchmark_answer", "STRING", "The answer that the benchmark names."),
        api("status", "STRING", "How far it came, as the API spells it."),
        api("assessment", "STRING", "GOOD, BAD or NEEDS_REVIEW; a detail."),
        api("is_manual_assessment", "BOOLEAN", "A person judged it; a detail."),
        api("assessment_reasons", "ARRAY<STRING>", "Why it was judged so, sorted; a detail."),
        api("actual_response", "STRING", "What Genie answered, as JSON; a detail.", is_document=True),
        api("expected_response", "STRING", "What was expected, as JSON; a detail.", is_document=True),
        ours("has_details", "BOOLEAN", "Details were read; false where they were gone before."),
        ours(
            "run_updated_timestamp",
            "LONG",
            "Last change of the evaluation when its details were read, epoch ms UTC; NULL without details.",
        ),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        *INGESTION,
    ),
)

EVALUATION_FETCH_ERRORS = Table(
    name="evaluation_fetch_errors",
    asset="genie_evaluation_runs",
    row="space or evaluation that could not be read",
    description="The error ledger of evaluations: why those of a space could not be listed, or why the results of "
    "one could not be read whole, when it is tried again, how it ended.",
    key=("workspace_id", "space_id", "of_what", "thing_id"),
    statistics=("workspace_id", "space_id", "thing_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the space."),
        api("space_id!", "STRING", "Genie space."),
        ours("of_what!", "STRING", "RUNS: the space's evaluations; RESULTS: those of one evaluation."),
        api("thing_id!", "STRING", "The space, or the evaluation."),
        *FAILURE,
        *COURSE,
    ),
)
