"""The style sheet and the icon, from memory; kept for a year when asked for by version."""

from starlette.requests import Request
from starlette.responses import Response

from fedi_letter.web.problems import nothing_here
from fedi_letter.web.responses import answer, finished
from fedi_letter.web.site import Web

FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_A_WHILE = {"Cache-Control": "public, max-age=300"}


async def static_file(web: Web, request: Request) -> Response:
    """One file; its name is looked up among those read at start, so no path can lead elsewhere."""
    file = web.templates.static.get(request.path_params["name"])
    if file is None:
        raise nothing_here()
    current = request.query_params.get("v") == file.version
    done = finished(file.body, file.media_type, FOR_GOOD if current else FOR_A_WHILE)
    return answer(request, done)
