"""What both APIs share: refusals become Databricks' JSON errors."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from genie_sandbox.responses import ApiError

Handler = Callable[[Request], Awaitable[Response]]

ASKED_WORKSPACE = "sandbox.asked_workspace"
"""Where a request's scope says to which workspace it was sent."""

ASKING_PRINCIPAL = "sandbox.asking_principal"
"""Where a request's scope says who sent it."""


def answering(handler: Handler) -> Handler:
    """`handler`, whose ApiErrors are answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ApiError as error:
            refusal = error.answer
            return Response(refusal.body, refusal.status, media_type=refusal.content_type)

    return answer
