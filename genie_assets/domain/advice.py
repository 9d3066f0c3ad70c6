"""What each class of error asks of a person, in one place: for the checks, the command line and the documents.

No advice may lead round in circles: what a new attempt cannot mend is to be closed, not to be tried again.
"""

from collections.abc import Mapping

from genie_assets.domain.outcomes import ErrorClass

_REQUEUE = "then `genie-assets errors requeue --class {}`"
_CLOSE = "`genie-assets errors close --class {}`"

ADVICE: Mapping[ErrorClass, str] = {
    ErrorClass.PERMISSION: "grant CAN MANAGE on the space to the principal that reads; the rest happens by "
    "itself. Conversations that their owners keep private stay forbidden: close them by their message ids.",
    ErrorClass.AUTH: "renew the secret or the token; a personal access token reads its own workspace "
    "only. They are tried again by themselves.",
    ErrorClass.CONFIG: "name the workspace's address in GENIE_WORKSPACE_URLS or its host in "
    "GENIE_ALLOWED_HOSTS, or leave it out with GENIE_WORKSPACES. They are tried again by themselves.",
    ErrorClass.NOT_RUNNING: "nothing: the workspace answers nobody, and they are tried again once Databricks "
    "shows it as running; leave it out with GENIE_WORKSPACES if it never will be.",
    ErrorClass.TOO_BIG: "nothing: the answer is bigger than any message is, and is looked at twice more. "
    f"Once you have seen them: {_CLOSE.format('TOO_BIG')}.",
    ErrorClass.RATE_LIMITED: "nothing, if it is rare; otherwise lower GENIE_REQUESTS_PER_SECOND and look for "
    f"other users of the Genie API. Parked ones: wait, {_REQUEUE.format('RATE_LIMITED')}.",
    ErrorClass.TIMEOUT: "nothing, if it is rare; otherwise look at proxy, firewall and private link, and lower "
    f"GENIE_THREADS. Parked ones: mend that, {_REQUEUE.format('TIMEOUT')}.",
    ErrorClass.NETWORK: "nothing, if it is rare; otherwise look at proxy, firewall and private link. "
    f"Parked ones: mend that, {_REQUEUE.format('NETWORK')}.",
    ErrorClass.SERVER: "nothing: Databricks failed, and they are tried again for almost two days. "
    f"Parked ones: wait until it works, {_REQUEUE.format('SERVER')}.",
    ErrorClass.BAD_PAYLOAD: "open the workspace's address from where Dagster runs and see what answers; often "
    f"it is a login or proxy page. Mend that, {_REQUEUE.format('BAD_PAYLOAD')}.",
    ErrorClass.BAD_REFERENCE: "nothing can be asked with these ids, and trying again does not help; a later event "
    f"that completes them does, by itself. Once you have seen them: {_CLOSE.format('BAD_REFERENCE')}.",
    ErrorClass.NOT_FOUND: "nothing: mostly they were deleted, and the audit row of that is still to come. "
    f"Those that stay: {_CLOSE.format('NOT_FOUND')}.",
}


def advice(error_class: str) -> str:
    """What to do about errors of a class, by its name; a class that is not known is one of another version."""
    known = ErrorClass.__members__.get(error_class)
    return ADVICE[known] if known else "this version does not know the class: update genie-assets."
