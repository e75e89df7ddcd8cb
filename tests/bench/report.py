"""What was measured, each figure beside its bound, as lines for people and JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

WIDTHS = (2, 46, 17, 22, 7, 9, 4)


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, repetition by repetition, and what it is held against.

    The ratio is the median of each repetition's own ratio, since both were measured within seconds
    of each other. Without a bound the figure itself is held against the target. `most` says that
    the target is a ceiling. Without a target the row only tells.
    """

    scenario: str
    what: str
    figures: Sequence[float]
    unit: str
    bounds: Sequence[float] = ()
    bound_is: str = ""
    target: float | None = None
    most: bool = False

    @property
    def figure(self) -> float:
        """The median figure."""
        return median(self.figures)

    @property
    def spread(self) -> str:
        """How far the repetitions lie apart, half of it to each side."""
        if len(self.figures) < 2 or not self.figure:
            return ""
        half = (max(self.figures) - min(self.figures)) / 2
        return f" ±{half / abs(self.figure):.0%}"

    @property
    def ratio(self) -> float | None:
        """The figure in terms of its bound."""
        if not self.bounds:
            return None
        pairs = zip(self.figures, self.bounds, strict=True)
        return median(figure / bound for figure, bound in pairs)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        value = self.figure if self.ratio is None else self.ratio
        return value <= self.target if self.most else value >= self.target


@dataclass
class Report:
    """Everything measured so far; a row is printed as soon as it is there."""

    machine: Mapping[str, str]
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Print what the figures belong to, and the head of the table."""
        print(" · ".join(f"{name} {value}" for name, value in self.machine.items()))
        print(_line("", "", "figure", "bound", "ratio", "target", "met"))

    def add(self, figure: Figure) -> None:
        """Keep a row and print it."""
        self.figures.append(figure)
        print(
            _line(
                figure.scenario,
                figure.what,
                f"{_short(figure.figure)} {figure.unit}{figure.spread}",
                f"{_short(median(figure.bounds))} {figure.bound_is}" if figure.bounds else "",
                "" if figure.ratio is None else f"{figure.ratio:.2f}",
                _target(figure),
                {True: "yes", False: "NO", None: ""}[figure.is_met],
            ),
            flush=True,
        )

    def say(self, note: str) -> None:
        """Keep a sentence and print it."""
        self.notes.append(note)
        print(f"   {note}", flush=True)

    def end(self) -> None:
        """Print how many targets are met."""
        judged = [figure for figure in self.figures if figure.is_met is not None]
        met = sum(bool(figure.is_met) for figure in judged)
        print(f"{met} of {len(judged)} targets met")

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        written: dict[str, Any] = {
            "machine": dict(self.machine),
            "figures": [_row(figure) for figure in self.figures],
            "notes": self.notes,
        }
        path.write_text(json.dumps(written, indent=1) + "\n")


def _row(figure: Figure) -> dict[str, Any]:
    return {
        "scenario": figure.scenario,
        "what": figure.what,
        "unit": figure.unit,
        "figure": figure.figure,
        "figures": list(figure.figures),
        "bound_is": figure.bound_is,
        "bounds": list(figure.bounds),
        "ratio": figure.ratio,
        "target": figure.target,
        "most": figure.most,
        "met": figure.is_met,
    }


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'≤' if figure.most else '≥'} {figure.target:g}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
