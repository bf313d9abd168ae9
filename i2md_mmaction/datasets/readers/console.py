"""What a conversion shows on a terminal: its progress and its summary."""

from typing import Iterable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .conversion import Summary

#: How many of the things dropped for one reason are named on the screen; the summary file names all.
NAMED = 3


def track_files(items: Iterable, total: int, what: str = 'files') -> Iterator:
    """Shows a progress bar; it starts, with its thread, only after the workers were forked."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(what),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(items, total)


def print_summary(summary: Summary, console: Console) -> None:
    """Prints a summary."""
    if summary.resumed:
        console.print(f'resumed: {summary.resumed} files had been read by an earlier run')
    persons = ', '.join(f'{samples} with {count}' for count, samples in summary.persons.items())
    console.print(f'{summary.sequences} sequences, {summary.classes} classes, {summary.frames} frames')
    console.print(f'persons: {persons}')
    console.print(f'splits: {", ".join(f"{name} {size}" for name, size in summary.splits.items())}')
    for note, samples in summary.notes.items():
        console.print(f'{note}: {samples}')
    console.print(f'dropped: {sum(map(len, summary.dropped.values()))}')
    for reason, drops in summary.dropped.items():
        named = '; '.join(drop.detail or drop.name for drop in drops[:NAMED])
        more = ', ...' if len(drops) > NAMED else ''
        console.print(f'  {reason}: {len(drops)} ({named}{more})', soft_wrap=True)
