"""`parley events`: what subscribers still have to handle, or gave up."""

from collections.abc import Awaitable
from typing import Annotated, Any

import typer
from rich.text import Text

from bootstrap.command import a_table, console, fail, load_settings, run_on_container

app = typer.Typer(help="Events that subscribers still have to handle, or gave up.", no_args_is_help=True)


@app.command("list")
def list_events(
    dead: Annotated[bool, typer.Option(help="Only those given up.")] = False,
    due: Annotated[bool, typer.Option(help="Without those that are for later.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """Show what waits and what was given up."""
    from ports.db import DeliveryState

    state = DeliveryState.DEAD if dead else None
    settings = load_settings()
    found = run_on_container(
        settings,
        lambda container: _listed(container, state, due, limit),
    )
    table = a_table("id", "state", "subscriber", "event", "shop", "due", "tries", "last error")
    for entry in found:
        due_at = f"{entry.due_at:%Y-%m-%d %H:%M:%S}"
        error = (entry.last_error or "")[:80]
        cells = (
            entry.id,
            entry.state,
            entry.subscriber,
            entry.topic,
            entry.shop_id,
            due_at,
            entry.attempts,
            error,
        )
        # As text: what an error says may look like markup.
        table.add_row(*(Text(str(cell)) for cell in cells))
    console.print(table if found else "Nothing waits, nothing was given up.")


def _listed(container: Any, state: Any, due: bool, limit: int) -> Awaitable[list[Any]]:
    from ports.db import SYSTEM

    due_by = container.clock().now() if due else None
    found: Awaitable[list[Any]] = container.db().read(
        lambda tx: tx.deliveries.list(state=state, due_by=due_by, limit=limit), shop=SYSTEM
    )
    return found


@app.command("replay")
def replay_event(
    delivery_id: Annotated[int, typer.Argument(help="The id that `parley events list` shows.")],
) -> None:
    """Have a given-up delivery tried again."""
    from ports.db import SYSTEM

    def replay(container: Any) -> Awaitable[bool]:
        now = container.clock().now()
        result: Awaitable[bool] = container.db().transact(
            lambda tx: tx.deliveries.replay(delivery_id, now=now), shop=SYSTEM
        )
        return result

    if not run_on_container(load_settings(), replay):
        raise fail(f"There is no given-up delivery {delivery_id}; see: parley events list --dead")
    console.print(f"Delivery {delivery_id} is due again.")
