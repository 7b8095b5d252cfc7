"""Money on the wire: prices are numbers in major units, as the platform's pages show them."""

from decimal import ROUND_HALF_UP, Decimal

from core.kernel import Invalid
from core.money import digits

LARGEST = 10**15
"""Minor units. Beyond this a price is a typing error, and floating point begins to lose units."""


def major(minor: int, currency: str) -> int | float:
    """1999 minor units of USD are 19.99; 1999 of JPY are 1999."""
    places = digits(currency)
    whole, rest = divmod(minor, 10**places)
    return whole if rest == 0 else float(Decimal(minor).scaleb(-places))


def minor(major: int | float | Decimal, currency: str, *, field: str = "price") -> int:
    """The other way round. Raises Invalid for more digits than the currency has."""
    scaled = Decimal(str(major)).scaleb(digits(currency))
    if not scaled.is_finite() or not 0 <= scaled <= LARGEST:
        raise Invalid(field=field, rule="must be a number from 0 up, in the shop's currency")
    if scaled != scaled.to_integral_value():
        raise Invalid(field=field, rule=f"may have at most {digits(currency)} decimals in {currency}")
    return int(scaled)


def nearest_minor(major: int | float, currency: str, *, field: str = "price") -> int:
    """As `minor`, but more digits than the currency has are rounded half up. Raises Invalid."""
    smallest = Decimal(1).scaleb(-digits(currency))
    said = Decimal(str(major))
    if said.is_finite() and abs(said) <= LARGEST:
        said = said.quantize(smallest, rounding=ROUND_HALF_UP)
    return minor(said, currency, field=field)
