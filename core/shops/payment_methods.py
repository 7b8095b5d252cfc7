"""How a shop's customers may pay, out of the settings that its owner keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """`instructions` are the owner's words. `qr_code_url`: a picture's address."""

    id: str
    name: str
    instructions: str
    qr_code_url: str | None
    requires_proof: bool

    def is_called(self, reference: str) -> bool:
        """By its id or its name."""
        return reference in {self.id, self.name}


def enabled_methods(settings: Mapping[str, Any]) -> list[PaymentMethod]:
    """Those that customers may choose. What has no name can't be chosen."""
    return [
        PaymentMethod(
            id=kept.get("id") or "",
            name=kept["name"],
            instructions=kept.get("instructions") or "",
            qr_code_url=kept.get("qr_code_url") or None,
            requires_proof=bool(kept.get("requires_proof", False)),
        )
        for kept in settings.get("payment_methods") or ()
        if kept.get("name") and kept.get("enabled", True)
    ]
