"""The templates and the static files, found once and kept; how a page looks, not what it says.

Autoescape is always on and an undefined name is an error, so a stranger's name is text, whatever
it contains. Only the letter's own body, sanitised when it was published, is marked safe.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import fedi_letter
from fedi_letter.web.days import day, instant

MEDIA_TYPES: dict[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
}


@dataclass(frozen=True)
class StaticFile:
    """One file of `templates/static`, whole; `version` changes with its bytes."""

    name: str
    media_type: str
    body: bytes
    version: str


class Templates:
    """Renders templates by name; `origin` is what every absolute link begins with."""

    def __init__(self, folder: Path) -> None:
        """Read the static files of `folder` and make ready to render its templates."""
        self.static = {file.name: file for file in _static_files(folder / "static")}
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(day=day, instant=instant, grouped=grouped)
        self._environment.globals.update(static=self.static_url)

    def render(self, name: str, values: Mapping[str, Any]) -> bytes:
        """The template `name` filled with `values`, as UTF-8."""
        return self._environment.get_template(name).render(values).encode()

    def static_url(self, name: str) -> str:
        """The path of a static file with its version, so that browsers may keep it for a year."""
        return f"/static/{name}?v={self.static[name].version}"


def grouped(number: int) -> str:
    """A count as people read it, with thin spaces between thousands.

    >>> grouped(1234567).replace(chr(0x202F), "_")
    '1_234_567'
    """
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


@lru_cache(maxsize=1)
def templates_folder() -> Path:
    """Where the templates are: inside the installed package, else beside it in the source tree."""
    package = Path(fedi_letter.__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _static_files(folder: Path) -> list[StaticFile]:
    return [
        StaticFile(
            name=path.name,
            media_type=MEDIA_TYPES[path.suffix],
            body=(body := path.read_bytes()),
            version=hashlib.sha256(body).hexdigest()[:12],
        )
        for path in sorted(folder.iterdir())
        if path.suffix in MEDIA_TYPES
    ]
