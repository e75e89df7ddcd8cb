"""Every command does what its help says, and says no in one line when it cannot."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from fedi_letter.cli import reviewing
from tests.cli.conftest import Command, Outcome
from tests.world import LETTER, MARKDOWN, ORIGIN, World


async def beside(command: Command, *arguments: str, **more: Any) -> Outcome:
    """Run a command while the letter's own event loop goes on."""
    return await asyncio.to_thread(command, *arguments, **more)


async def test_post_publishes_edits_lists_and_deletes(answered: World, command: Command) -> None:
    reader = answered.fediverse.actor("ada@far.example")
    await reader.follow(answered.house.context.uris.actor)
    await answered.work()
    said = await beside(command, "post", "We meet on Friday.")
    assert said.code == 0, said.errors
    await answered.work()
    [entry] = reader.timeline.values()
    assert "We meet on Friday." in entry.html
    [listed] = (await beside(command, "post", "list", "--json")).json
    assert set(listed) == {"id", "object_id", "text", "published_at", "state"}
    assert (listed["text"], listed["state"]) == ("We meet on Friday.", "live")
    assert listed["object_id"] == entry.uri
    await beside(command, "post", "edit", listed["id"], "We meet on Saturday.")
    await answered.work()
    assert "Saturday" in next(iter(reader.timeline.values())).html
    await beside(command, "post", "delete", listed["id"])
    await answered.work()
    assert reader.timeline == {}
    [gone] = (await beside(command, "post", "list", "--json")).json
    assert (gone["id"], gone["state"], gone["text"]) == (listed["id"], "deleted", None)


async def test_post_reads_standard_input(answered: World, command: Command) -> None:
    await beside(command, "post", "-", text="From a pipe.\n")
    [listed] = (await beside(command, "post", "list", "--json")).json
    assert listed["text"].strip() == "From a pipe."


async def test_an_update_that_is_not_there_is_refused(answered: World, command: Command) -> None:
    for arguments in (("edit", "01NOSUCH", "x"), ("delete", "01NOSUCH"), ("delete", "../x")):
        refused = await beside(command, "post", *arguments)
        assert refused.code == 1
        assert "post list" in refused.errors
    empty = await beside(command, "post", "  ")
    assert empty.code == 1


async def test_publish_makes_a_revision_and_refuses_the_same_text(
    answered: World, command: Command
) -> None:
    await asyncio.to_thread(Path("letter.en.md").write_bytes, MARKDOWN + b"\nAnd we mean it.\n")
    done = await beside(command, "publish", "letter.en.md", "--note", "one line more")
    assert done.code == 0, done.errors
    assert "revision 2 (version 2)" in done.out
    assert "And we mean it." in await answered.page()
    again = await beside(command, "publish", "letter.en.md")
    assert again.code == 1
    assert "revision 2 already" in again.errors


async def test_publish_names_what_is_wrong_with_a_file(answered: World, command: Command) -> None:
    missing = await beside(command, "publish", "nowhere.md")
    assert missing.code == 1
    assert "nowhere.md" in missing.errors
    await asyncio.to_thread(Path("plain.md").write_bytes, b"no heading at all\n")
    untitled = await beside(command, "publish", "plain.md")
    assert untitled.code == 1
    assert "heading" in untitled.errors


async def test_the_queue_is_listed_and_decided_and_undone(
    answered: World, command: Command
) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "Splendid.")
    await answered.work()
    [item] = (await beside(command, "queue", "list", "--json")).json
    assert set(item) >= {"id", "kind", "actor", "handle", "text", "reasons", "received_at", "state"}
    assert (item["kind"], item["handle"], item["state"]) == ("reply", ada.handle, "held")
    assert item["text"] == "Splendid."
    accepted = await beside(command, "queue", "accept", str(item["id"]))
    assert accepted.code == 0
    assert await answered.signed() == [ada.handle]
    twice = await beside(command, "queue", "reject", str(item["id"]))
    assert twice.code == 1
    assert "already decided" in twice.errors
    action = accepted.out.split("action ")[1].split(":")[0]
    undone = await beside(command, "queue", "undo", action)
    assert undone.code == 0, undone.errors
    assert await answered.signed() == []
    [again] = (await beside(command, "queue", "list", "--json")).json
    assert again["id"] == item["id"]
    assert (await beside(command, "queue", "undo", action)).code == 1
    assert (await beside(command, "queue", "accept", "999999")).code == 1


async def test_reports_are_for_the_admins(answered: World, command: Command) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    await ada.flag(LETTER, "This is too long.")
    await answered.work()
    [report] = (await beside(command, "queue", "reports", "--json")).json
    assert report["comment"] == "This is too long."
    assert LETTER in report["objects"]
    assert "too long" not in await answered.everything_public()


async def test_people_are_removed_and_restored_under_their_number(
    answered: World, command: Command
) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    await ada.boost(LETTER)
    await answered.work()
    assert (await beside(command, "signatories", "remove", ada.handle)).code == 0
    assert await answered.signed() == []
    await ada.reply(LETTER, "I sign.")
    await answered.work()
    assert await answered.signed() == []
    assert (await beside(command, "signatories", "restore", ada.handle)).code == 0
    [entry] = await answered.roll()
    assert (entry["handle"], entry["number"]) == (ada.handle, 1)
    assert (await beside(command, "signatories", "remove", "@nobody@far.example")).code == 1
    listed = (await beside(command, "signatories", "list", "--json")).json
    assert listed == [entry]


async def test_a_list_that_may_go_on_says_so(
    answered: World, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob"):
        await answered.fediverse.actor(f"{name}@far.example").boost(LETTER)
    await answered.work()
    whole = await beside(command, "signatories", "list", "--json")
    assert (len(whole.json), whole.errors) == (2, "")
    monkeypatch.setattr(reviewing, "LISTED_AT_MOST", 1)
    cut = await beside(command, "signatories", "list", "--json")
    assert len(cut.json) == 1
    assert "only the first 1 are listed" in cut.errors


async def test_blocks_take_signatures_off_and_give_them_back(
    answered: World, command: Command
) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    await ada.boost(LETTER)
    await answered.work()
    assert (await beside(command, "block", "add", "far.example", "--reason", "raid")).code == 0
    assert await answered.signed() == []
    [block] = (await beside(command, "block", "list", "--json")).json
    assert (block["kind"], block["subject"], block["reason"]) == ("domain", "far.example", "raid")
    assert (await beside(command, "block", "add", "far.example")).code == 1
    assert (await beside(command, "block", "remove", "far.example")).code == 0
    assert await answered.signed() == [ada.handle]
    assert (await beside(command, "block", "remove", "far.example")).code == 1


async def test_export_writes_the_roll_as_json_and_csv(answered: World, command: Command) -> None:
    ada = answered.fediverse.actor("ada@far.example", name="=cmd()")
    await ada.reply(LETTER, "I sign. With joy.")
    await answered.work()
    exported = (await beside(command, "export")).json
    assert exported["total"] == 1
    assert exported["signatories"] == await answered.roll()
    done = await beside(command, "export", "--format", "csv", "roll.csv")
    assert done.code == 0, done.errors
    text = await asyncio.to_thread(Path("roll.csv").read_text, "utf-8")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["handle"], row["statement"]) == (ada.handle, "With joy.")
    assert row["name"] == "'=cmd()"
    assert (await beside(command, "export", "no/such/folder.json")).code == 1


async def test_trace_tells_every_step(answered: World, command: Command) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    await answered.work()
    told = await beside(command, "trace", deed.id)
    assert told.code == 0
    assert "verified" in told.out
    assert "counted: clear-phrase" in told.out
    assert "signatory no. 1: new -> listed" in told.out
    document = (await beside(command, "trace", deed.id, "--json")).json
    assert document["signatory"] == {"number": 1, "state": "listed"}


def test_keys_show_only_what_is_public(command: Command) -> None:
    shown = command("keys", "show", "--json").json
    assert [key["owner"] for key in shown] == [
        f"{ORIGIN}/actors/letter",
        f"{ORIGIN}/actors/instance.actor",
    ]
    assert all(key["public_pem"].startswith("-----BEGIN PUBLIC KEY-----") for key in shown)
    assert "PRIVATE" not in json.dumps(shown)


def test_migrate_may_be_repeated(command: Command) -> None:
    assert command("migrate").code == 0
    assert command("migrate").code == 0


def test_help_is_there_for_every_command(command: Command) -> None:
    assert command("--help").code == 0
    assert command("no-such-command").code == 2
    assert command("queue", "accept").code == 2
