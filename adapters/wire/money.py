"""Money on the wire: prices are numbers in major units, as the platform's pages show them.

ISO 4217 minor units; only what differs from two digits is listed. CLDR (which babel follows) disagrees in a
dozen currencies, because it describes cash: payments go by ISO.
"""

from decimal import Decimal

from core.kernel import Invalid

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
DIGITS = {
    currency: places
    for places, currencies in ((0, _NONE), (3, _THREE), (4, _FOUR))
    for currency in currencies.split()
}
USUAL_DIGITS = 2
LARGEST = 10**15
"""Minor units. Beyond this a price is a typing error, and floating point begins to lose units."""


def digits(currency: str) -> int:
    return DIGITS.get(currency, USUAL_DIGITS)


def major(minor: int, currency: str) -> int | float:
    """1999 minor units of USD are 19.99; 1999 of JPY are 1999."""
    places = digits(currency)
    whole, rest = divmod(minor, 10**places)
    return whole if rest == 0 else float(Decimal(minor).scaleb(-places))


def minor(major: int | float, currency: str, *, field: str = "price") -> int:
    """The other way round. Raises Invalid for more digits than the currency has."""
    scaled = Decimal(str(major)).scaleb(digits(currency))
    if not scaled.is_finite() or not 0 <= scaled <= LARGEST:
        raise Invalid(field=field, rule="must be a number from 0 up, in the shop's currency")
    if scaled != scaled.to_integral_value():
        raise Invalid(field=field, rule=f"may have at most {digits(currency)} decimals in {currency}")
    return int(scaled)
