"""How values of settings are written in the environment: rates, durations, lists, and what pushes need."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from ports.limits import Rate


def rate(value: Any) -> Any:
    """`120/60` is 120 in any 60 seconds."""
    if isinstance(value, Rate):
        return value
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", str(value).strip())
    if match is None:
        raise ValueError("must be AMOUNT/SECONDS, such as 120/60")
    return Rate(int(match[1]), int(match[2]))


def duration(value: Any) -> Any:
    """`90`, `90s`, `15m`, `12h` or `30d`."""
    match = re.fullmatch(r"([1-9]\d*)([smhd]?)", value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and match is None:
        raise ValueError("must be a number of seconds, or such as 15m, 12h, 30d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else value


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def words(value: Any) -> Any:
    return tuple(filter(None, re.split(r"[\s,]+", value))) if isinstance(value, str) else value


def _key_of_p256(value: SecretStr) -> SecretStr:
    from adapters.providers.vapid import private_key

    try:
        private_key(value.get_secret_value())
    except ValueError:
        # Without its cause, which may quote the key.
        raise ValueError("must be a private key of P-256, as parley push keys makes one, or in PEM") from None
    return value


def _subject(value: str) -> str:
    if not re.fullmatch(r"mailto:[^\s@<>]+@[^\s@<>]+|https://[^\s<>]+", value):
        raise ValueError("must be such as mailto:you@shop.example or https://shop.example")
    return value


RateSetting = Annotated[Rate, NoDecode, BeforeValidator(rate)]
Duration = Annotated[timedelta, NoDecode, BeforeValidator(duration)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(words)]
PushKey = Annotated[SecretStr, AfterValidator(_key_of_p256)]
PushSubject = Annotated[str, AfterValidator(_subject)]
