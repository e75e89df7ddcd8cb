"""Quoting is allowed to everybody, answered with a stamp, and never a signature (FEP-044f)."""

from tests.world import LETTER, ORIGIN, World


async def test_t45_a_quote_request_is_answered_with_a_stamp_that_names_all_three(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.quote(LETTER, "I sign, and you should read this.")
    assert deed.activity["type"] == "QuoteRequest"
    await world.work()
    [accept] = [one for one in ada.notifications if one["type"] == "Accept"]
    assert accept["object"]["id"] == deed.id
    stamp = await world.document(accept["result"])
    assert stamp["id"] == accept["result"]
    assert stamp["id"].startswith(f"{ORIGIN}/")
    assert stamp["type"] == "QuoteAuthorization"
    assert stamp["attributedTo"] == world.house.context.uris.actor
    assert stamp["interactionTarget"] == LETTER
    assert deed.note is not None
    assert stamp["interactingObject"] == deed.note.uri
    assert await world.signed() == []


async def test_a_quote_elsewhere_needs_no_answer(world: World) -> None:
    kim = world.fediverse.actor("kim@key.example", "misskey")
    await kim.quote(LETTER, "Read this.")
    await world.work()
    assert [one for one in kim.notifications if one["type"] == "Accept"] == []
    assert await world.signed() == []


async def test_a_stamp_nobody_gave_is_not_there(world: World) -> None:
    for missing in ("/stamps/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/stamps/not-an-id"):
        answer = await world.request("GET", missing)
        assert answer.status == 404
