"""How many digits the minor unit of a currency stands for.

ISO 4217; only what differs from two digits is listed. CLDR (which babel follows) disagrees in a dozen
currencies, because it describes cash: payments go by ISO.
"""

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
DIGITS = {
    currency: places
    for places, currencies in ((0, _NONE), (3, _THREE), (4, _FOUR))
    for currency in currencies.split()
}
USUAL_DIGITS = 2


def digits(currency: str) -> int:
    return DIGITS.get(currency, USUAL_DIGITS)
