"""What writes, maintenance and the keeping of views did."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MergeResult:
    """How many rows a merge inserted, updated and deleted; rows that were already right count nowhere."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: "MergeResult") -> "MergeResult":
        return MergeResult(
            self.inserted + other.inserted, self.updated + other.updated, self.deleted + other.deleted
        )

    @property
    def changed(self) -> int:
        """Rows that are different now; 0 means that nothing was committed."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class MaintenanceReport:
    """What maintenance did to a table. Versions are None, and counts 0, where the table does not exist.

    Files and bytes are None where they were not asked for: nothing was written since they were looked at.
    """

    files_before: int | None = 0
    files_after: int | None = 0
    bytes_before: int | None = 0
    bytes_after: int | None = 0
    version_before: int | None = None
    version_after: int | None = None
    days_compacted: int = 0
    files_vacuumed: int = 0


@dataclass(frozen=True)
class ViewsKept:
    """What became of views, by their names.

    Attributes:
        created: There was nothing of their name.
        changed: They had another text or other comments.
        unchanged: They were right already, and were not touched.
        left_alone: Something that is not ours has their name.
        refused: Those that could not be made or changed, each with a sentence that says why.
    """

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
