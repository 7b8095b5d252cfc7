"""The shop's settings document: the owner's own texts and switches, which the core keeps without looking in.

One family of structs is the wire's camelCase document; `twins.stored` turns it into what the database keeps,
and `twins.wire_names` back. Every field has the default that the pages expect: they read each without asking.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from adapters.wire.base import Loose, Maybe
from adapters.wire.twins import stored, wire_names
from adapters.wire.zones import checked_zone

Number = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Annotated[float, Meta(ge=-1e15, le=1e15)]
Seconds = Annotated[int, Meta(ge=0, le=3600)] | Annotated[float, Meta(ge=0, le=3600)]
FreeForm = dict[str, Any]

WIDGETS = {
    "financial_kpis": 4,
    "task_calendar": 2,
    "todo_list": 2,
    "quick_note": 1,
    "expense_breakdown": 1,
    "expense_tracking": 2,
}
"""The Operation screen draws only what the list names: a new shop starts with them all. Id and width."""


class Attachment(Loose):
    type: str = "image"
    url: str = ""
    name: Maybe = UNSET


class MenuItem(Loose):
    id: str = ""
    type: str = "postback"
    title: str = ""
    payload: Maybe = UNSET
    url: Maybe = UNSET


class ApplyTo(Loose):
    chat: bool = True
    comments: bool = False


class KeywordReply(Loose):
    id: str = ""
    keywords: str = ""
    reply: str = ""
    match_type: Literal["contains", "exact"] = "contains"
    apply_to: ApplyTo = field(default_factory=ApplyTo)
    attachment: Attachment | None = None
    buttons: list[MenuItem] = field(default_factory=list)
    enabled: bool = True


class SavedReply(Loose):
    id: str = ""
    name: str = ""
    text: str = ""


class QuickReply(Loose):
    key: str = ""
    title: str = ""
    reply: str = ""
    enabled: bool = True


class Place(Loose):
    id: str = ""
    name: str = ""
    address_line1: str = ""
    city: str = ""
    state_region: str = ""
    postal_code: Maybe = UNSET
    phone: Maybe = UNSET
    operating_hours: Maybe = UNSET
    notes: Maybe = UNSET


class KnowledgeSection(Loose):
    id: str = ""
    title: str = ""
    content: str = ""
    is_custom: bool = True
    is_deletable: bool | UnsetType | None = UNSET
    is_title_editable: bool | UnsetType | None = UNSET
    include_in_quick_replies: bool = False
    type: str | UnsetType | None = UNSET
    locations: list[Place] | UnsetType | None = UNSET


class KnowledgeBase(Loose):
    user_defined: list[KnowledgeSection] = field(default_factory=list)
    product_data: str = ""


class AssistantConfig(Loose):
    selected_model: str = "STANDARD"
    system_prompt: str = ""
    language: str = "en"
    tone: str = "neutral"
    response_delay: Seconds = 0
    custom_quick_replies: list[QuickReply] | UnsetType | None = UNSET
    mimic_language: bool | UnsetType | None = UNSET


class EntryPoint(Loose):
    type: str = "chat"
    form_id: str | None = None
    welcome_message: Maybe = UNSET
    welcome_message_actions: list[MenuItem] | UnsetType | None = UNSET


class PaymentMethod(Loose):
    id: str = ""
    name: str = ""
    instructions: str = ""
    qr_code_url: Maybe = UNSET
    requires_proof: bool = False
    enabled: bool = True


class PaymentIntelligence(Loose):
    enabled: bool = False
    time_window_minutes: Number = 15
    status_on_proof: str = "Pending"
    confirmation_message: Maybe = UNSET


class FlowConfig(Loose):
    enabled: bool = False
    strings: dict[str, str] = field(default_factory=dict)


class SaleConfig(Loose):
    default_form_id: str | None = None


class ReceiptConfig(Loose):
    show_platform_logo: bool = True
    custom_footer_text: str = ""
    receipt_size: str = "standard"


class Onboarding(Loose):
    checklist_dismissed: bool = False


class Expense(Loose):
    id: str = ""
    date: str = ""
    amount: Number = 0
    category: str = "Other"
    description: str = ""


class Widget(Loose):
    id: str = ""
    enabled: bool = True
    order: Number = 0
    width: Number = 1


class Todo(Loose):
    id: str = ""
    text: str = ""
    is_completed: bool = False
    created_at: Number = 0
    completed_at: Number | UnsetType | None = UNSET


class CalendarTask(Loose):
    id: str = ""
    date: str = ""
    title: str = ""
    description: str = ""


def _widgets() -> list[Widget]:
    return [Widget(id=name, order=order, width=width) for order, (name, width) in enumerate(WIDGETS.items())]


class ShopSettings(Loose):
    """Everything of a Shop on the wire that only its owner's screens and its assistant care about."""

    description: Maybe = UNSET
    timezone: str = "UTC"
    """Where the shop's days begin and end."""
    logo_url: Maybe = UNSET
    custom_url_slug: Maybe = UNSET
    payment_intro_message: Maybe = UNSET
    payment_button_text: Maybe = UNSET
    assistant_config: AssistantConfig = field(default_factory=AssistantConfig)
    knowledge_base: KnowledgeBase = field(default_factory=KnowledgeBase)
    keyword_replies: list[KeywordReply] = field(default_factory=list)
    saved_replies: list[SavedReply] = field(default_factory=list)
    customer_entry_point: EntryPoint = field(default_factory=EntryPoint)
    chat_history: list[FreeForm] = field(default_factory=list)
    persistent_menu: list[MenuItem] = field(default_factory=list)
    payment_methods: list[PaymentMethod] = field(default_factory=list)
    onboarding: Onboarding = field(default_factory=Onboarding)
    order_management_flow_config: FlowConfig = field(default_factory=FlowConfig)
    booking_flow_config: FlowConfig = field(default_factory=FlowConfig)
    offline_sale_config: SaleConfig = field(default_factory=SaleConfig)
    online_sale_config: SaleConfig = field(default_factory=SaleConfig)
    receipt_config: ReceiptConfig = field(default_factory=ReceiptConfig)
    ai_credit_usage: FreeForm | UnsetType | None = UNSET
    conversational_commerce_usage: FreeForm | UnsetType | None = UNSET
    expenses: list[Expense] = field(default_factory=list)
    operation_widgets: list[Widget] = field(default_factory=_widgets)
    todos: list[Todo] = field(default_factory=list)
    quick_note: str = ""
    calendar_tasks: list[CalendarTask] = field(default_factory=list)
    payment_intelligence_config: PaymentIntelligence = field(default_factory=PaymentIntelligence)


def settings_of(document: Mapping[str, Any]) -> ShopSettings:
    """What the database keeps, completed with the defaults."""
    return msgspec.convert(wire_names(document, ShopSettings), ShopSettings)


def document_of(settings: ShopSettings) -> dict[str, Any]:
    """What the database keeps: `settings` under Python's names, without what only subclasses declare.

    Raises Invalid.
    """
    checked_zone(settings.timezone)
    document: dict[str, Any] = stored(settings)
    return {name: document[name] for name in ShopSettings.__struct_fields__ if name in document}
