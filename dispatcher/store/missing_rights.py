"""What processes say of themselves that they may not do: read where people look."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.store.connection import Repository


@dataclass(frozen=True, slots=True)
class MissingRight:
    """`process` is its name, such as `worker-dial@host`; `says` what right it lacks."""

    process: str
    says: str

    def __str__(self) -> str:
        return f"{self.process}: {self.says}"


class MissingRights(Repository):
    """Notes of processes that lack a right; each stands for some minutes."""

    def note(self, process: str, says: str) -> None:
        """Note what a process may not do. Raises NotAllowed where it may not even do that."""
        self._run("note_missing_right", process=process, says=says)

    def clear(self, process: str) -> None:
        """Note that a process lacks nothing."""
        self._run("note_missing_right", process=process)

    def all(self) -> list[MissingRight]:
        """Return what was noted lately, by process."""
        flat = [each.decode() for each in self._run("missing_rights")]
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return sorted((MissingRight(*pair) for pair in pairs), key=lambda each: each.process)
