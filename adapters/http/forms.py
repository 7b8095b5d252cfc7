"""Forms: kept by the shop's people, and seen by everybody."""

from quart import Blueprint

from adapters.http.access import PUBLIC, agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.forms import FormOut, FormPart, form_out
from core.application import FormUseCases
from core.forms.errors import FormExists, FormNotFound
from core.kernel import Agent, KeyReused
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

KEEPING = agent(Permission.MANAGE_PRODUCTS)
NO_FORM = (ShopNotFound, FormNotFound)


def blueprint(forms: FormUseCases) -> Blueprint:
    routes = Blueprint("forms", __name__, url_prefix="/api/shops/<id:shop_id>/forms")

    @routes.get("")
    @endpoint(access=PUBLIC, returns=DataList[FormOut], raises=(ShopNotFound,))
    async def list_forms(shop_id: str) -> DataList[FormOut]:
        """List the forms with their fields, the oldest first."""
        return data_list([form_out(form) for form in await forms.list(shop_id=shop_id)])

    @routes.post("")
    @endpoint(
        access=KEEPING,
        body=FormPart,
        returns=Data[FormOut],
        status=201,
        raises=(ShopNotFound, FormExists, KeyReused),
    )
    async def add(actor: Agent, shop_id: str, body: FormPart, once: str | None) -> Data[FormOut]:
        """Add a form. An `id` of the client's own is kept; with it, too, repeating is harmless."""
        form = await forms.add(
            actor=actor,
            shop_id=shop_id,
            name=body.own_name or "",
            fields=body.all_fields() or (),
            own_id=body.own_id,
            once=once,
        )
        return data(form_out(form))

    @routes.put("/<id:form_id>")
    @endpoint(access=KEEPING, body=FormPart, returns=Data[FormOut], raises=NO_FORM)
    async def change(actor: Agent, shop_id: str, form_id: str, body: FormPart) -> Data[FormOut]:
        """Change a form's name, or all of its fields, or both."""
        form = await forms.change(
            actor=actor, shop_id=shop_id, form_id=form_id, name=body.own_name, fields=body.all_fields()
        )
        return data(form_out(form))

    @routes.delete("/<id:form_id>")
    @endpoint(access=KEEPING, returns=Data[Deleted], raises=NO_FORM)
    async def remove(actor: Agent, shop_id: str, form_id: str) -> Data[Deleted]:
        """Delete a form. Orders that were made with it stay."""
        await forms.remove(actor=actor, shop_id=shop_id, form_id=form_id)
        return data(Deleted(id=form_id))

    return routes
