"""The style sheet and the icon, from memory; kept for a year when asked for by version."""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request

from fedi_letter.web.kept import Kept
from fedi_letter.web.problems import nothing_here
from fedi_letter.web.responses import Finished, finished
from fedi_letter.web.site import Web
from fedi_letter.web.templates import StaticFile

FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_A_WHILE = {"Cache-Control": "public, max-age=300"}


async def static_file(web: Web, request: Request) -> Kept:
    """One file; its name is looked up among those read at start, so no path can lead elsewhere."""
    file = web.templates.static.get(request.path_params["name"])
    if file is None:
        raise nothing_here()
    current = request.query_params.get("v") == file.version
    make = partial(_static_file, file, FOR_GOOD if current else FOR_A_WHILE)
    return await web.finished(request, ("static", file.name, current), make, edition=None)


async def _static_file(file: StaticFile, kept: Mapping[str, str]) -> Finished:
    return finished(file.body, file.media_type, kept)
