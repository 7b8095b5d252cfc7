"""Reads the states that agents are shown, for the system's own announcements."""

from adapters.ws.states import Subject, read
from adapters.ws.updates import ReadState, Snapshot
from ports.db import Database, Transaction


def reader(db: Database) -> ReadState:
    async def read_state(shop_id: str, subject: Subject) -> Snapshot:
        def work(tx: Transaction) -> Snapshot:
            shown = read(tx, subject)
            return Snapshot(shown, tx.stream.position())

        return await db.read(work, shop=shop_id)

    return read_state
