"""What tables of versioned rows have in common: reading by id, optimistic saving, lists of versions."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import ListStatement, Row, Session, Statement
from core.kernel import ConcurrentUpdate


class Versioned:
    """The statements of one table that has `shop_id`, `id` and `version`.

    `fixed`: columns that are written once. `order`: how its rows are listed.
    """

    def __init__(self, table: sa.Table, *, thing: str, fixed: set[str], order: Sequence[Any]) -> None:
        self._thing = thing
        self.columns = [column for column in table.c if column.name != "shop_id"]
        self.fields = [column.name for column in self.columns]
        self._saved = [name for name in self.fields if name not in fixed | {"id", "version"}]
        ours = table.c.shop_id == p("shop_id")
        one = sa.select(*self.columns).where(ours, table.c.id == p("id"))
        self._one, self._one_locked = Statement(one), Statement(one.with_for_update(key_share=True))
        self._all = Statement(sa.select(*self.columns).where(ours).order_by(*order))
        self._versions = Statement(sa.select(table.c.id, table.c.version).where(ours).order_by(*order))

        def several(ids: Sequence[sa.BindParameter[Any]]) -> sa.Select[Any]:
            return sa.select(*self.columns).where(ours, table.c.id.in_(ids)).order_by(table.c.id)

        self._several = ListStatement(several)
        self._several_locked = ListStatement(lambda ids: several(ids).with_for_update(key_share=True))
        self._add = Statement(table.insert())
        self._save = Statement(
            table.update()
            .where(
                table.c.shop_id == p("b_shop_id"), table.c.id == p("b_id"), table.c.version == p("b_version")
            )
            .values({name: p(name) for name in self._saved})
            .values(version=table.c.version + 1)
        )
        self._delete = Statement(table.delete().where(ours, table.c.id == p("id")))

    def one(self, session: Session, shop_id: str | None, id: str, *, lock: bool = False) -> Row | None:
        return (self._one_locked if lock else self._one).one(session, {"shop_id": shop_id, "id": id})

    def all(self, session: Session, shop_id: str | None) -> list[Row]:
        return self._all.all(session, {"shop_id": shop_id})

    def by_ids(
        self, session: Session, shop_id: str | None, ids: Iterable[str], *, lock: bool = False
    ) -> list[Row]:
        statement = self._several_locked if lock else self._several
        return statement.all(session, sorted(set(ids)), {"shop_id": shop_id})

    def versions(self, session: Session, shop_id: str | None) -> dict[str, int]:
        return self._versions.pairs(session, {"shop_id": shop_id})

    def add(self, session: Session, shop_id: str | None, entity: Any) -> None:
        self._add.run(session, {"shop_id": shop_id, **self._row(entity, self.fields)})

    def save(self, session: Session, shop_id: str | None, entity: Any) -> None:
        """Raises ConcurrentUpdate; else the entity has its new version."""
        key = {"b_shop_id": shop_id, "b_id": entity.id, "b_version": entity.version}
        if self._save.run(session, {**key, **self._row(entity, self._saved)}) != 1:
            raise ConcurrentUpdate(thing=self._thing)
        entity.version += 1

    def delete(self, session: Session, shop_id: str | None, id: str) -> None:
        self._delete.run(session, {"shop_id": shop_id, "id": id})

    @staticmethod
    def _row(entity: Any, names: Iterable[str]) -> Row:
        return {name: getattr(entity, name) for name in names}
