"""All routes of the SQL warehouse."""

from starlette.routing import Route

from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.file_routes import FileRoutes
from genie_sandbox.sql.metastore_routes import MetastoreRoutes
from genie_sandbox.sql.statement_routes import StatementRoutes


def routes(engine: SailEngine) -> list[Route]:
    """Routes of statements, their presigned links, files in volumes, and the metastore."""
    return [
        *StatementRoutes(engine).routes(),
        *FileRoutes(engine).routes(),
        *MetastoreRoutes(engine).routes(),
    ]
