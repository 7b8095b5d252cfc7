"""A copy beside its original, and what happens to people, hosts and secrets where a shop arrives."""

import pytest

from adapters.db.archive_tables import shop_tables
from adapters.db.archive_translation import unique_over_all_shops
from bootstrap.shop_import import ShopIsThere
from core.identity.errors import WrongCredentials
from core.identity.model import User
from core.sites.errors import HostTaken
from core.visits.identity import PREFIX
from ports.db import SYSTEM
from tests.archives.stand import AWKWARD, full_shop
from tests.builders import PICTURE, a_shop

ANOTHER_KEY = "another-key-that-seals-what-servers-store"
KINDS = ("sqlite", "aiosqlite", "postgres")


async def test_twice_is_refused_and_changes_nothing(target, archive):
    await target.bring_in(archive)
    before, stored = await target.everything(), target.stored()
    with pytest.raises(ShopIsThere, match="with --as NEW_ID"):
        await target.bring_in(archive)
    assert (await target.everything(), target.stored()) == (before, stored)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_copy_stands_beside_its_original(server, tmp_path, kind):
    here = server(kind)
    stage, _ = await full_shop(here)
    done = await here.export(stage, tmp_path / "shop.parley")
    before = await here.rows(stage.shop.id)
    brought = await here.bring_in(done.path, as_id="copy-1")
    assert brought.is_copy
    assert await here.rows(stage.shop.id) == before
    after = await here.rows("copy-1")
    assert await here.findings() == []
    for table in shop_tables():
        old, new = before[table.name], after[table.name]
        assert len(new) == (len(old) if table.rule.is_copied and table.name != "site_hosts" else 0) or (
            table.name == "sites"
        ), table.name
        for column in unique_over_all_shops(table.table):
            assert not {row[column] for row in old} & {row[column] for row in new}, f"{table.name}.{column}"
    texts = lambda rows: [row["text"] for row in sorted(rows["messages"], key=lambda row: row["sequence"])]  # noqa: E731
    assert texts(after) == texts(before)
    assert AWKWARD in texts(after)


async def test_a_copys_files_are_its_own(server, tmp_path):
    here = server()
    stage, file = await full_shop(here)
    await here.export(stage, tmp_path / "shop.parley")
    await here.bring_in(tmp_path / "shop.parley", as_id="copy-1")
    rows = await here.rows("copy-1")
    [copied] = rows["files"]
    assert copied["key"] != file.key
    assert copied["key"] in copied["url"]
    assert copied["object_key"].startswith("copy-1/")
    assert [copied["url"] in row["attachments"] for row in rows["messages"]].count(True) == 1
    assert file.url not in str(rows["messages"])
    read = here.container.application().files.read
    found = await read.find(key=copied["key"], name=file.path_name)
    assert (found.shop_id, await here.bytes_of(copied["object_key"])) == ("copy-1", PICTURE)


async def test_a_copy_calls_its_conversations_otherwise_everywhere(made, target, archive):
    """Uploads name a conversation and nothing else: whose it is has to be certain."""
    await target.bring_in(archive, as_id="copy-1")
    rows = await target.rows("copy-1")
    [conversation] = rows["conversations"]
    [before] = made.rows["conversations"]
    assert conversation["id"] != before["id"]
    assert {row["conversation_id"] for name in ("messages", "files") for row in rows[name]} == {
        conversation["id"]
    }
    assert before["id"] not in str(rows)


async def test_a_copy_does_nothing_by_itself(target, archive):
    await target.bring_in(archive, as_id="copy-1")
    rows = await target.rows("copy-1")
    [endpoint] = rows["webhook_endpoints"]
    assert (endpoint["is_active"], endpoint["disabled_reason"]) == (False, "by_hand")
    assert rows["deliveries"] == rows["events"] == []
    assert rows["shop_streams"] == [{"position": 0}]


async def test_visitors_of_the_original_have_no_session_in_the_copy(made, target, archive):
    await target.bring_in(archive, as_id="copy-1")
    await target.bring_in(archive)
    secret = made.rows["visitor_sessions"][0]["id"]
    find = lambda tx: tx.visitors.find_session(secret)  # noqa: E731
    assert await target.db.read(find, shop="copy-1") is None
    assert await target.db.read(find, shop=made.stage.shop.id) is not None


async def test_copies_of_a_copy_can_be_made(server, tmp_path):
    here = server()
    stage, _ = await full_shop(here)
    await here.export(stage, tmp_path / "1")
    for name in ("copy-1", "copy-2"):
        await here.bring_in(tmp_path / "1", as_id=name)
    assert (await here.everything())["shops"] == 3
    assert await here.findings() == []


@pytest.mark.parametrize("as_id", [None, "copy-1"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_dry_run_does_everything_and_leaves_nothing(server, archive, kind, as_id):
    target = server(kind)
    before = await target.everything()
    tried = await target.bring_in(archive, dry_run=True, as_id=as_id)
    assert (await target.everything(), target.stored()) == (before, [])
    brought = await target.bring_in(archive, as_id=as_id)
    assert (tried.rows, tried.files, tried.notes) == (brought.rows, brought.files, brought.notes)


# Hosts


async def test_hosts_of_another_shop_stay_with_that_one(target, archive, made):
    stage = await a_shop(target.db, target.clock)
    sites = target.container.application().sites
    await sites.add(actor=stage.owner, shop_id=stage.shop.id, name="x", hosts=["lumen.example"])
    brought = await target.bring_in(archive)
    assert [note.what for note in brought.notes] == ["lumen.example"]
    arrived = await target.rows(made.stage.shop.id)
    assert [row["pattern"] for row in arrived["site_hosts"]] == ["*.lumen.example"]
    with pytest.raises(HostTaken):
        await sites.add(actor=stage.owner, shop_id=stage.shop.id, name="y", hosts=["*.lumen.example"])


async def test_a_site_without_a_host_is_none(target, archive, made):
    stage = await a_shop(target.db, target.clock)
    hosts = [row["pattern"] for row in made.rows["site_hosts"]]
    sites = target.container.application().sites
    await sites.add(actor=stage.owner, shop_id=stage.shop.id, name="x", hosts=hosts)
    await target.bring_in(archive)
    assert (await target.rows(made.stage.shop.id))["sites"] == []


# Secrets


async def opened(stand, stage, shop_id):
    """The secrets in clear, as the server reads them."""
    [endpoint] = (await stand.rows(shop_id))["webhook_endpoints"]
    record = f"webhook_endpoint:{shop_id}:{endpoint['id']}"
    sealed = [endpoint["secret"], endpoint["previous_secret"]]
    cipher = stand.container.cipher()
    hooks = [one and cipher.decrypt(one, record=record) for one in sealed]
    shop = await stand.db.read(lambda tx: tx.shops.by_id(shop_id), shop=SYSTEM)
    owner = type(stage.owner)(shop.owner_id, "")
    return [
        *hooks,
        await stand.container.application().sites.read_identity_secret(actor=owner, shop_id=shop_id),
    ]


@pytest.mark.parametrize("as_id", [None, "copy-1"])
async def test_with_the_same_key_secrets_are_what_they_were(target, archive, made, as_id):
    brought = await target.bring_in(archive, as_id=as_id)
    assert brought.notes == []
    hooks = await opened(target, made.stage, brought.shop_id)
    assert hooks[:2] == ["whsec_second", "whsec_first"]
    assert hooks[2].startswith(PREFIX)


@pytest.mark.parametrize("as_id", [None, "copy-1"])
async def test_with_another_key_there_are_new_ones_and_it_is_said(server, archive, made, as_id):
    target = server(encryption_keys=ANOTHER_KEY)
    brought = await target.bring_in(archive, as_id=as_id)
    secret, former, identity = await opened(target, made.stage, brought.shop_id)
    assert (former, secret[:6], identity[:3]) == (None, "whsec_", PREFIX)
    assert secret != "whsec_second"
    assert sorted((note.what, note.became.rpartition(" ")[2]) for note in brought.notes) == [
        ("the former secret of the webhook https://shop.example/hook", "forgotten"),
        ("the former secret that known visitors are vouched for with", "forgotten"),
        ("the secret of the webhook https://shop.example/hook", "made"),
        ("the secret that known visitors are vouched for with", "made"),
    ]
    [endpoint] = (await target.rows(brought.shop_id))["webhook_endpoints"]
    assert endpoint["previous_secret_until"] is None


async def test_what_an_older_key_has_sealed_is_sealed_with_the_newest(server, archive, made):
    target = server(encryption_keys=f"{ANOTHER_KEY},{'a-key-that-seals-what-these-tests-store'}")
    brought = await target.bring_in(archive)
    newest = server(encryption_keys=ANOTHER_KEY).container.cipher()
    [endpoint] = (await target.rows(brought.shop_id))["webhook_endpoints"]
    record = f"webhook_endpoint:{brought.shop_id}:{endpoint['id']}"
    assert newest.decrypt(endpoint["secret"], record=record) == "whsec_second"


# People


async def registered(stand, email, username="somebody", id="01-already-here"):
    user = User.register(id=id, email=email, username=username, password_hash="-", now=stand.clock.now())
    await stand.db.transact(lambda tx: tx.users.add(user), shop=SYSTEM)
    return user


async def accounts(stand):
    return await stand.db.read(lambda tx: tx.users.page(after=None, limit=100), shop=SYSTEM)


async def sign_in(stand, email, password):
    return await stand.container.application().identity.log_in(email=email, password=password)


def owner_of(made):
    return f"{made.stage.owner.user_id}@example.com"


async def test_people_without_an_account_get_one_that_nobody_can_sign_in_with(target, archive, made):
    brought = await target.bring_in(archive)
    assert len(brought.people.new) == len(await accounts(target)) == 2
    assert {user.id for user in brought.people.new} >= {made.stage.owner.user_id}
    assert brought.passwords == {}
    for password in ("!", "", "-"):
        with pytest.raises(WrongCredentials):
            await sign_in(target, owner_of(made), password)


async def test_new_accounts_can_get_a_password_that_is_shown_once(target, archive, made):
    brought = await target.bring_in(archive, passwords=True)
    assert len(brought.passwords) == 2
    signed_in = await sign_in(target, owner_of(made), brought.passwords[owner_of(made)])
    assert signed_in.user.id == made.stage.owner.user_id


async def test_nobody_becomes_a_platform_admin_by_it(target, archive):
    await target.bring_in(archive)
    assert [user.is_admin for user in await accounts(target)] == [False, False]


async def test_whoever_has_an_account_keeps_it_and_is_that_person(target, archive, made):
    known = await registered(target, owner_of(made))
    brought = await target.bring_in(archive, passwords=True)
    assert brought.people.known == [owner_of(made)]
    assert list(brought.passwords) == [user.email for user in brought.people.new]
    shop = await target.db.read(lambda tx: tx.shops.by_id(made.stage.shop.id), shop=SYSTEM)
    assert shop.owner_id == known.id
    [user] = [user for user in await accounts(target) if user.id == known.id]
    assert (user.username, user.password_hash) == ("somebody", "-")
    rows = await target.rows(shop.id)
    assert made.stage.owner.user_id not in str(rows)
    assert known.id in {row["user_id"] for row in rows["members"]}
    assert f'"owner_id":"{known.id}"' in rows["events"][0]["payload"]
    assert await target.findings() == []


async def test_an_id_that_is_somebody_elses_here_is_not_taken(target, archive, made):
    stranger = await registered(target, "stranger@example.com", id=made.stage.owner.user_id)
    await target.bring_in(archive)
    shop = await target.db.read(lambda tx: tx.shops.by_id(made.stage.shop.id), shop=SYSTEM)
    assert shop.owner_id != stranger.id
    team = await target.db.read(lambda tx: tx.members.all(), shop=shop.id)
    assert stranger.id not in {member.user_id for member in team}


async def test_a_name_that_somebody_has_here_is_changed(target, archive, made):
    await registered(target, "stranger@example.com", username=f"OWNER-{made.stage.owner.user_id}")
    await target.bring_in(archive)
    [owner] = [user for user in await accounts(target) if user.email == owner_of(made)]
    assert owner.username.startswith(f"owner-{made.stage.owner.user_id}-")
