from core.kernel import DomainError, Kind
from core.webhooks.model import ENDPOINTS_LIMIT


class WebhookNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "webhook_not_found"
    says = "Webhook not found"


class WebhookDeliveryNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "webhook_delivery_not_found"
    says = "Delivery not found"


class TooManyWebhooks(DomainError):
    kind = Kind.CONFLICT
    code = "too_many_webhooks"
    says = f"A shop may have at most {ENDPOINTS_LIMIT} webhooks"


class WebhookInactive(DomainError):
    kind = Kind.CONFLICT
    code = "webhook_inactive"
    says = "This webhook is switched off; switch it on first"
