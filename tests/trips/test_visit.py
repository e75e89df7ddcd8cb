"""A visitor reads the letter, its versions and the roll; nobody private is ever shown."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from fedi_letter.letter.model import EndorsementState, Visibility
from fedi_letter.services import updates
from fedi_letter.services.publish import LetterSource, publish
from fedi_letter.web import metrics
from fedi_letter.web.routes import routes
from fedi_letter.web.site import web
from fedi_letter.web.templates import Templates, templates_folder
from tests.trips.seeds import Seed, crowd, planted
from tests.world import HANDLE, LETTER, MARKDOWN, ORIGIN, World, open_world

HTML = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


async def test_the_letter_is_readable_and_says_how_to_sign_and_how_to_leave(world: World) -> None:
    page = await world.page()
    assert "<h1>Artists are not your unpaid R&amp;D</h1>" in page
    assert "We are not your free bug testers." in page
    assert f"<code>{LETTER}</code>" in page
    assert f"<code>{HANDLE}</code>" in page
    assert "<q>I sign</q>, or boost the letter" in page
    assert "Delete your reply, undo your boost or reply “I withdraw”." in page
    assert "Version 1, " in page
    assert "Nobody has signed yet" in page


async def test_the_words_on_the_page_are_the_words_that_count(world: World) -> None:
    book = world.house.context.phrasebook
    assert book.classify("I sign", None).kind == "sign"
    assert book.classify("I withdraw", None).kind == "withdraw"


async def test_a_letter_signed_by_boosts_alone_asks_for_no_reply(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, sign_by="boost") as world:
        page = await world.page()
        assert "<li>Boost the letter.</li>" in page
        assert "<q>I sign</q>" not in page


async def test_each_reader_gets_their_language(database_url: str, letter_keys: Path) -> None:
    arabic = LetterSource("ar", "# رسالة\n\nنص الرسالة.\n".encode())
    sources = (LetterSource("en", MARKDOWN), arabic)
    async with open_world(database_url, letter_keys, sources=sources) as world:
        asked = await world.page("/?lang=ar")
        assert '<article class="letter" lang="ar" dir="rtl">' in asked
        assert "نص الرسالة" in asked
        preferred = await world.request("GET", "/", headers=(HTML, ("Accept-Language", "ar-EG")))
        assert preferred.body.decode() == asked
        assert "Accept-Language" in dict(preferred.headers)["vary"]
        for strange in (";;;", "x" * 9000, "de;q=abc, *", ",,,"):
            answer = await world.request("GET", "/", headers=(HTML, ("Accept-Language", strange)))
            assert 'lang="en" dir="ltr">\n<h1>Artists' in answer.body.decode()


async def test_the_roll_is_read_page_by_page(world: World) -> None:
    await planted(world, *crowd(130))
    url: str | None = "/signatories"
    numbers: list[int] = []
    pages = 0
    while url is not None:
        page = await world.page(url)
        numbers += [int(n) for n in re.findall(r'<li class="signatory" value="(\d+)"', page)]
        onward = re.search(r'<a rel="next" href="([^"]+)"', page)
        url = onward[1].replace("&amp;", "&") if onward else None
        pages += 1
    assert numbers == list(range(1, 131))
    assert pages == 3
    first = await world.page("/signatories")
    assert "130 people signed" in first
    assert "statement 1<" in first
    assert "by reply, <time" in first


async def test_the_roll_is_searched_by_name_and_handle(world: World) -> None:
    await planted(world, Seed("ada", "Ada Lovelace"), Seed("bob", "Bob"), Seed("x", "100% _wild_"))
    assert "@ada@far.example" in await world.page("/signatories?q=LOVELACE")
    assert "@bob@far.example" not in await world.page("/signatories?q=LOVELACE")
    assert "@bob@far.example" in await world.page("/signatories?q=%40bob%40far")
    assert "@bob@far.example" not in await world.page("/signatories?q=%25")
    assert "Nobody on the roll matches" in await world.page("/signatories?q=%00%22%3E%3Cscript%3E")


async def test_what_strangers_call_themselves_is_text(world: World) -> None:
    hostile = '<script>alert(1)</script>"onload=x {{ 7*7 }}'
    await planted(world, Seed("mallory", hostile, hostile))
    for url in ("/", "/signatories", "/signatories?q=alert"):
        page = await world.page(url)
        assert "<script" not in page
        assert "49" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_search_engines_are_shown_only_those_who_agreed(world: World) -> None:
    await planted(world, Seed("open", "Open"))
    assert 'name="robots"' not in await world.page("/signatories")
    await planted(world, Seed("shy", "Shy", indexable=False))
    assert '<meta name="robots" content="noindex">' in await world.page("/signatories")
    page = await world.page("/")
    assert 'name="robots"' not in page
    assert "Signed by 2 people" in page
    assert "Open</bdi>" in page
    assert "Shy</bdi>" not in page


def secret(user: str, state: EndorsementState, visibility: Visibility) -> Seed:
    """Somebody whose name and words must stay with us."""
    return Seed(user, "Nobody", "hush", state=state, visibility=visibility, listed=False)


async def test_nothing_private_is_on_any_public_surface(world: World) -> None:
    await planted(
        world,
        secret("secret1", EndorsementState.PRIVATE, Visibility.DIRECT),
        secret("secret2", EndorsementState.PRIVATE, Visibility.FOLLOWERS),
        secret("secret3", EndorsementState.HELD, Visibility.PUBLIC),
        # whatever went wrong elsewhere, a page does not show what was not public
        secret("secret4", EndorsementState.STANDING, Visibility.DIRECT),
        secret("shy", EndorsementState.COMMENT, Visibility.UNLISTED),
        Seed("quiet", "Quiet", "hush", visibility=Visibility.UNLISTED),
    )
    shown = await world.everything_public()
    assert "hush" not in shown
    assert "Nobody<" not in shown
    assert "secret" not in shown
    assert "@quiet@far.example" in shown


async def test_an_approved_comment_stands_beside_the_letter_and_is_not_counted(
    world: World,
) -> None:
    comment = Seed("bob", "Bob", "but the tone", state=EndorsementState.COMMENT, listed=False)
    await planted(world, comment)
    page = await world.page()
    assert "I sign. but the tone" in page
    assert "Nobody has signed yet" in page
    assert "@bob@far.example" not in await world.page("/signatories")


async def test_an_earlier_version_stays_and_says_so(world: World) -> None:
    second = LetterSource("en", MARKDOWN + b"\nNor your PR puppets.\n")
    done = await publish(world.house.context, second, note="a second sentence")
    assert (done.number, done.version) == (2, 2)
    page = await world.page()
    assert "Nor your PR puppets." in page
    assert "Version 2, " in page
    assert "a second sentence" in page
    first = await world.page("/letters/letter/revisions/1")
    assert "Nor your PR puppets." not in first
    assert "This is an earlier version" in first
    assert "This is an earlier version" not in await world.page("/letters/letter/revisions/2")
    answer = await world.request("GET", "/letters/letter/revisions/3")
    assert answer.status == 404


async def test_the_feed_lists_the_letter_its_versions_and_the_updates(world: World) -> None:
    update = await updates.post(world.house.context, "We handed the letter over.")
    page = await world.page()
    assert "We handed the letter over." in page
    assert "We handed the letter over." in await world.page(update.object_uri)
    feed = (await world.request("GET", "/feed.atom")).body.decode()
    assert feed.startswith("<?xml")
    ids = re.findall(r"<id>([^<]+)</id>", feed)
    assert ids[0] == f"{ORIGIN}/feed.atom"
    assert set(ids[1:]) == {LETTER, f"{LETTER}/revisions/1", update.object_uri}


class Tags(HTMLParser):
    """Collects what a page loads and whether it carries anything the policy forbids."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.forbidden: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        self.tags.append(tag)
        given = dict(attrs)
        self.forbidden += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(given["href"] or "")


async def test_pages_run_nothing_and_load_only_our_own(world: World) -> None:
    await planted(world, *crowd(2))
    for path in ("/", "/signatories", "/@letter", "/letters/letter/revisions/1"):
        page = Tags(await world.page(path))
        assert not {"script", "style", "iframe", "object"} & set(page.tags)
        assert page.forbidden == []
        assert len(page.loaded) == 2
        for url in page.loaded:
            assert urlsplit(url).netloc == ""
            answer = await world.request("GET", url)
            assert answer.status == 200
            assert "immutable" in dict(answer.headers)["cache-control"]


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", "/signatories.csv"),
        ("GET", LETTER),
        ("GET", "/nothing"),
        ("POST", "/signatories"),
        ("GET", "/inbox"),
    ):
        body = b"" if method == "POST" else None
        headers = dict((await world.request(method, path, body=body)).headers)
        assert headers["content-security-policy"] == CSP, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["strict-transport-security"].startswith("max-age=")


async def test_a_page_is_sent_again_only_when_it_changed(world: World) -> None:
    first = dict((await world.request("GET", "/", headers=(HTML,))).headers)
    etag = first["etag"]
    assert not etag.startswith("W/")
    known = (HTML, ("If-None-Match", f'"other", W/{etag}'))
    again = await world.request("GET", "/", headers=known)
    assert (again.status, again.body) == (304, b"")
    assert dict(again.headers)["etag"] == etag
    await planted(world, Seed("ada", "Ada"))
    changed = await world.request("GET", "/", headers=known)
    assert changed.status == 200
    assert b"Signed by 1 person" in changed.body


async def test_a_head_request_gets_the_head(world: World) -> None:
    for path in ("/", "/signatories.csv", LETTER):
        answer = await world.request("HEAD", path)
        assert (answer.status, answer.body) == (200, b""), path


async def test_errors_have_a_face_for_people_and_one_for_programs(world: World) -> None:
    program = await world.request("GET", "/nothing")
    assert program.status == 404
    assert dict(program.headers)["content-type"] == "application/problem+json"
    person = await world.request("GET", "/nothing", headers=(HTML,))
    assert person.status == 404
    assert b"There is nothing here" in person.body
    wrong = await world.request("DELETE", "/")
    assert wrong.status == 405
    assert dict(wrong.headers)["allow"] == "GET, HEAD"
    assert dict(wrong.headers)["content-type"] == "application/problem+json"
    bad = await world.request("GET", "/signatories?after=minus", headers=(HTML,))
    assert bad.status == 400


async def test_every_path_in_the_table_is_documented_by_its_answer(world: World) -> None:
    house = world.house
    table = routes(web(house.context, house.intake, Templates(templates_folder())))
    assert len({route.path for route in table}) == len(table)
    for route in table:
        is_for_everybody = "inbox" not in route.path and route.path != metrics.PATH
        if "{" not in route.path and is_for_everybody:
            query = "?resource=acct:letter@letter.example" if "webfinger" in route.path else ""
            assert (await world.request("GET", route.path + query)).status == 200, route.path
