"""What can be done with a lakehouse beside storing tables and asking for their rows, whichever engine it is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genie_assets.gateways.lakehouse.results import ViewsKept

if TYPE_CHECKING:
    from genie_assets.domain.views import View

# Below the root of tables in files: what is kept beside them.
FILES_FOLDER = "genie_files"


class BesideTables(ABC):
    """Files and views beside the tables, and what there is in their place."""

    @abstractmethod
    def keep(self, name: str, data: bytes) -> str:
        """Keep a file beside the tables, over one of that name, whole or not at all.

        Args:
            name: A plain file name of ours.
            data: Its content. On a disk nobody but its owner may read it.

        Returns:
            Its address: `file://…` for a disk, the store's own for a bucket, the path in the volume for `uc://`.

        Raises:
            LakehouseError: it cannot be written.
        """

    @abstractmethod
    def kept_json(self, name: str) -> Any:
        """What a kept file says as JSON; None if there is none.

        Raises:
            LakehouseError: the storage cannot be asked.
        """

    @abstractmethod
    def probe(self) -> bool:
        """Prove that the lakehouse can be written, by writing something and removing it again; no table is made.

        Returns:
            Whether the lakehouse is there already; False if it can be made.

        Raises:
            LakehouseError: it can neither be written nor made.
        """

    @abstractmethod
    def names_beginning(self, beginning: str) -> list[str]:
        """Names of what is stored where our tables are, and begins so, sorted; whose it is does not matter.

        Raises:
            LakehouseError: it cannot be looked at.
        """

    def keep_views(self, views: Sequence["View"]) -> ViewsKept | None:  # noqa: ARG002  None are made here.
        """Make views that there are not, and give those of ours that are there the text that they have here.

        What has the name of a view and is not ours is left alone. A view that is refused stops no other.

        Args:
            views: The views, each after those that it reads.

        Returns:
            What was done; None where there is nothing to make, because a view's text is run when it is asked.

        Raises:
            LakehouseError: the lakehouse cannot be asked what there is.
        """
        return None

    def open_to_others(self) -> str | None:
        """A sentence if other users of this machine can read it; None if none can, as far as is known."""
        return None
