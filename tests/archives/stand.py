"""A server without its doors: its database, its storage and its keys, and a shop that has everything."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console

from adapters.db.archive_queries import session_of
from adapters.db.archive_tables import ShopTable, shop_tables
from adapters.db.identity import users
from adapters.db.statements import Row
from adapters.db.tables import Choice, Json, UtcDateTime
from bootstrap.container import Container
from bootstrap.files import files_url
from bootstrap.settings import Settings
from bootstrap.shop_export import Exported, ExportShop
from bootstrap.shop_import import Imported, ImportShop
from bootstrap.verify import verify
from core.conversations.events import AnswerDue
from core.conversations.messages import Attachment, AttachmentKind, Draft, Message, Sender
from core.conversations.visitor import OpenSession
from core.files.model import File
from core.shops.policy import Role
from core.webhooks.model import WebhookEndpoint
from ports.db import SYSTEM, Transaction
from tests.builders import Stage, a_file, a_form, a_member, a_product, a_shop, an_order, ids
from tests.contract.test_webhook_records import a_delivery

AWKWARD = '“Línea”\n\t\\ \u2028 👋 שלום, "quoted" \'and\' {"json": null}'
LAST_MILLISECOND = datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


class Silent:
    """A meter for nobody. `at` is called once rows begin."""

    def __init__(self, at: Callable[[], None] | None = None) -> None:
        self._at = at

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        if what == "Rows" and self._at is not None:
            self._at()
        return lambda step: None


@dataclass(frozen=True, slots=True)
class Stand:
    container: Container
    settings: Settings

    @property
    def db(self) -> Any:
        return self.container.db()

    @property
    def clock(self) -> Any:
        return self.container.clock()

    @property
    def storage(self) -> Any:
        return self.container.storage()

    async def export(self, stage: Stage, path: Path, meter: Silent | None = None) -> Exported:
        run = ExportShop(self.db, self.storage, self.clock, files_url(self.settings))
        return await run(stage.shop, path, meter or Silent())

    async def bring_in(
        self,
        path: Path,
        *,
        as_id: str | None = None,
        dry_run: bool = False,
        passwords: bool = False,
        meter: Silent | None = None,
    ) -> Imported:
        run = ImportShop(
            db=self.db,
            storage=self.storage,
            cipher=self.container.cipher(),
            clock=self.clock,
            ids=ids,
            emails=self.container.emails(),
            passwords=self.container.passwords() if passwords else None,
            files_url=files_url(self.settings),
        )
        return await run(path, meter or Silent(), as_id=as_id, dry_run=dry_run)

    async def rows(self, shop_id: str) -> dict[str, list[Row]]:
        """Everything of the shop in one form and order, whatever the database."""

        def look(tx: Transaction) -> dict[str, list[Row]]:
            session = session_of(tx)
            return {
                table.name: sorted(
                    (table.row(line) for page in table.pages(session, shop_id) for _, line in page),
                    key=lambda row: str(
                        [row[c.name] for c in table.table.primary_key if c.name in row] or row
                    ),
                )
                for table in shop_tables()
            }

        found: dict[str, list[Row]] = await self.db.read(look, shop=SYSTEM)
        return found

    async def everything(self) -> Counter[str]:
        """How many rows there are, by table, of whomever."""

        def look(connection: sa.Connection) -> Counter[str]:
            tables = [*(table.table for table in shop_tables()), users]
            count = sa.select(sa.func.count())
            return Counter({t.name: connection.execute(count.select_from(t)).scalar_one() for t in tables})

        found: Counter[str] = await self.db.inspect(look)
        return found

    def stored(self) -> list[Path]:
        """Every file of the storage."""
        root = Path((self.settings.files or "").removeprefix("file://"))
        return [entry for entry in root.rglob("*") if entry.is_file()]

    async def findings(self) -> list[str]:
        return await verify(self.db, self.storage, Console(quiet=True))

    async def bytes_of(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in await self.storage.get(key)])

    async def says(self, stage: Stage, text: str, **fields: Any) -> Message:
        post = self.container.application().visitor.post
        return (await post(visitor=stage.visitor, draft=Draft(text=text, **fields))).message


async def full_shop(stand: Stand) -> tuple[Stage, File]:
    """A shop with rows in every table, made by use cases where there are some, and one of its files."""
    db, clock, application = stand.db, stand.clock, stand.container.application()
    stage = await a_shop(db, clock, greeting=AWKWARD)
    await OpenSession(db, clock, ids)(visitor=stage.visitor)
    message = await stand.says(stage, AWKWARD, client_id="c-1")
    file = await a_file(application.files, message.conversation_id)
    picture = Attachment(kind=AttachmentKind.IMAGE, url=file.url)
    await stand.says(stage, "See", attachments=(picture,))
    agent = await a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    await application.inbox.post(
        actor=agent,
        shop_id=stage.shop.id,
        conversation_id=message.conversation_id,
        sender=Sender.AGENT,
        draft=Draft(text="Hello, too"),
    )
    await an_order(db, clock, stage.shop, await a_product(db, clock, stage.shop))
    await a_form(db, clock, stage.shop)
    await application.sites.add(
        actor=stage.owner, shop_id=stage.shop.id, name="Main", hosts=["lumen.example", "*.lumen.example"]
    )
    for _ in range(2):
        await application.sites.rotate_identity_secret(actor=stage.owner, shop_id=stage.shop.id)
    await db.transact(lambda tx: _by_hand(tx, stand, stage), shop=stage.shop.id)
    await db.transact(lambda tx: _fill_the_rest(tx, stage), shop=stage.shop.id)
    return stage, file


def _by_hand(tx: Transaction, stand: Stand, stage: Stage) -> None:
    """What only time or other servers would bring about."""
    now, endpoint_id = stand.clock.now(), ids.new()
    record = f"webhook_endpoint:{stage.shop.id}:{endpoint_id}"
    cipher = stand.container.cipher()
    endpoint = WebhookEndpoint(
        id=endpoint_id,
        url="https://shop.example/hook",
        types=("message.created",),
        secret=cipher.encrypt("whsec_first", record=record),
        created_at=now,
        position=tx.stream.position(),
    )
    endpoint.rotate(cipher.encrypt("whsec_second", record=record), now)
    tx.webhooks.add(endpoint)
    a_delivery(tx, endpoint, now)
    tx.visitors.know("customer-7", stage.visitor.visitor_id)
    due = AnswerDue(conversation_id="gone", message_id="m")
    tx.later(due, due_at=LAST_MILLISECOND, lane="l")


def _fill_the_rest(tx: Transaction, stage: Stage) -> None:
    """Tables that nobody thought of here get a row as their columns want it."""
    session, shop_id = session_of(tx), stage.shop.id
    for table in shop_tables():
        if table.count(session, shop_id) == 0:
            table.add(session, shop_id, [dict(_values(tx, table, stage))])


def _values(tx: Transaction, table: ShopTable, stage: Stage) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        yield column.name, _referred(tx, table, column, stage) or _value(column)


def _referred(tx: Transaction, table: ShopTable, column: sa.Column[Any], stage: Stage) -> Any:
    """What another table has that the column points to: of the first row, so that several fit together."""
    for key in column.foreign_keys:
        if key.column is users.c.id:
            return stage.owner.user_id
        [target] = [one for one in shop_tables() if one.table is key.column.table]
        first, _ = next(target.pages(session_of(tx), stage.shop.id))[0]
        return first[key.column.name]
    return None


def _value(column: sa.Column[Any]) -> Any:
    match column.type:
        case UtcDateTime():
            return LAST_MILLISECOND - timedelta(days=1)
        case Choice():
            return next(iter(column.type.choices))
        case Json():
            return "{}" if "dict" in str(column.type.shape) else "[]"
        case sa.String():
            return f"{column.name} 1"[: column.type.length]
        case sa.Boolean():
            return True
        case sa.LargeBinary():
            return bytes(range(256))
    return 1
