from core.kernel import DomainError, Kind


class NotificationNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "notification_not_found"
    says = "Notification not found"
