"""`parley webhooks`: what a shop's webhooks were sent, and sending it again, for the operator's hands."""

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.text import Text

from bootstrap.command import a_table, acting_owner, console, fail, load_settings, run_on_container
from core.webhooks.log import LoggedDelivery
from core.webhooks.model import DeliveryStatus, WebhookEndpoint

app = typer.Typer(help="The webhooks of a shop, and what they were sent.", no_args_is_help=True)
ShopId = Annotated[str, typer.Argument(metavar="SHOP", help="The shop's id.")]
WebhookId = Annotated[str | None, typer.Option("--webhook", help="Only those of this webhook.")]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON each.")]


@app.command("list")
def list_webhooks(shop_id: ShopId, as_json: AsJson = False) -> None:
    """Show a shop's webhooks."""
    from adapters.wire.webhooks import webhook_out

    async def look(container: Any) -> list[WebhookEndpoint]:
        owner = await acting_owner(container, shop_id)
        found: list[WebhookEndpoint] = await container.application().webhooks.list(
            actor=owner, shop_id=shop_id
        )
        return found

    found = run_on_container(load_settings(), look)
    if as_json:
        _print_json(map(webhook_out, found))
        return
    table = a_table("id", "address", "events", "state", "since")
    for one in found:
        state = "active" if one.is_active else f"off: {one.disabled_reason}"
        since = f"{one.created_at:%Y-%m-%d}"
        # As text: what an address holds may look like markup.
        table.add_row(*map(Text, (one.id, one.url, " ".join(one.types), state, since)))
    console.print(table)


@app.command("deliveries")
def list_deliveries(
    shop_id: ShopId,
    webhook: WebhookId = None,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of each webhook.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what was sent, or is about to be, the newest first."""
    from adapters.wire.webhooks import delivery_out

    async def look(container: Any) -> list[LoggedDelivery]:
        return await _logged(container, shop_id, webhook, status, limit)

    found = run_on_container(load_settings(), look)
    if as_json:
        _print_json(map(delivery_out, found))
        return
    table = a_table("id", "webhook", "event", "made", "state", "next try", "tries", "last answer")
    for logged in found:
        table.add_row(*map(Text, _cells(logged)))
    console.print(table if found else "Nothing was sent, and nothing waits.")


@app.command("replay")
def replay(
    shop_id: ShopId,
    delivery_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[DELIVERY]...", help="As `deliveries` shows them.")
    ] = None,
    all_failed: Annotated[
        bool, typer.Option(help="Everything that was given up and is still logged.")
    ] = False,
    webhook: WebhookId = None,
) -> None:
    """Have deliveries sent again, under the same ids.

    With --all-failed those of webhooks that are switched off stay as they are.
    """
    if bool(delivery_ids) == all_failed:
        raise fail("Name deliveries, or say --all-failed.")

    async def run(container: Any) -> int:
        owner = await acting_owner(container, shop_id)
        wanted = delivery_ids or await _failed(container, shop_id, webhook)
        for delivery_id in wanted:
            await container.application().webhooks.replay(
                actor=owner, shop_id=shop_id, delivery_id=delivery_id
            )
        return len(wanted)

    count = run_on_container(load_settings(), run)
    console.print("1 delivery is due again." if count == 1 else f"{count} deliveries are due again.")


async def _failed(container: Any, shop_id: str, webhook: str | None) -> list[str]:
    """What can be sent again, the oldest first; when there is nothing but what can't, that."""
    owner, webhooks = await acting_owner(container, shop_id), container.application().webhooks
    active = {one.id for one in await webhooks.list(actor=owner, shop_id=shop_id) if one.is_active}
    logged = await _logged(container, shop_id, webhook, DeliveryStatus.FAILED, sys.maxsize)
    failed = [one.delivery for one in reversed(logged)]
    return [one.id for one in failed if one.endpoint_id in active] or [one.id for one in failed]


async def _logged(
    container: Any, shop_id: str, webhook: str | None, status: DeliveryStatus | None, limit: int
) -> list[LoggedDelivery]:
    owner, webhooks = await acting_owner(container, shop_id), container.application().webhooks
    ids = [webhook] if webhook else [one.id for one in await webhooks.list(actor=owner, shop_id=shop_id)]
    found = [
        logged
        for id in ids
        for logged in await webhooks.deliveries(
            actor=owner, shop_id=shop_id, endpoint_id=id, limit=min(limit, 2**31), status=status
        )
    ]
    return sorted(found, key=lambda logged: logged.delivery.created_at, reverse=True)


def _cells(logged: LoggedDelivery) -> Iterable[str]:
    delivery, last = logged.delivery, logged.attempts[-1].outcome if logged.attempts else None
    next_at = f"{delivery.next_at:%Y-%m-%d %H:%M:%S}" if delivery.next_at else ""
    told = (last.error or str(last.status))[:80] if last else ""
    made = f"{delivery.created_at:%Y-%m-%d %H:%M:%S}"
    return (
        *(delivery.id, delivery.endpoint_id, delivery.type, made, delivery.status.value, next_at),
        *(str(delivery.attempts), told),
    )


def _print_json(lines: Iterable[Any]) -> None:
    import msgspec

    sys.stdout.writelines(msgspec.json.encode(line).decode() + "\n" for line in lines)
