"""Secrets at rest: what is sealed opens by its own keys, for its own record, unaltered, and not otherwise."""

import base64

import pytest
from cryptography.fernet import Fernet, InvalidToken

from adapters.providers.fernet import FernetCipher
from bootstrap.secrets import encryption_keys
from bootstrap.settings import Settings
from core.outages import SecretUnreadable

OLD, NEW, STRANGE = ("old-" * 8, "new-" * 8, "strange-" * 4)
RECORD = "webhook_endpoint:shop:1"
CLEAR = "whsec_Zm9yIG5vYm9keSdzIGV5ZXM="


@pytest.fixture
def cipher():
    return FernetCipher([OLD])


@pytest.mark.parametrize("clear", [CLEAR, "", "with\0nul", "שלום 👋", "x" * 10_000])
def test_what_is_sealed_opens_as_it_was(cipher, clear):
    assert cipher.decrypt(cipher.encrypt(clear, record=RECORD), record=RECORD) == clear


def test_sealed_text_shows_nothing_and_never_repeats(cipher):
    first, second = (cipher.encrypt(CLEAR, record=RECORD) for _ in range(2))
    assert first != second
    assert first.isascii()
    assert first.isprintable()
    for shown in (first.encode(), base64.urlsafe_b64decode(first)):
        assert CLEAR.encode() not in shown
        assert RECORD.encode() not in shown


def test_sealed_text_is_no_longer_than_the_port_says(cipher):
    for length in (0, 40, 4_000):
        clear = "x" * length
        assert len(cipher.encrypt(clear, record=RECORD)) <= (length + len(RECORD)) * 4 / 3 + 150


@pytest.mark.parametrize("record", ["webhook_endpoint:shop:2", "webhook_endpoint:shop:", "", f"{RECORD}\0w"])
def test_copied_to_another_record_it_does_not_open(cipher, record):
    with pytest.raises(SecretUnreadable):
        cipher.decrypt(cipher.encrypt(CLEAR, record=RECORD), record=record)


def test_a_record_can_not_reach_into_the_text(cipher):
    with pytest.raises(ValueError, match="NUL"):
        cipher.encrypt(CLEAR, record=f"{RECORD}\0whsec")


def test_an_altered_byte_anywhere_is_noticed(cipher):
    sealed = bytearray(base64.urlsafe_b64decode(cipher.encrypt(CLEAR, record=RECORD)))
    for place in range(len(sealed)):
        altered = sealed.copy()
        altered[place] ^= 1
        with pytest.raises(SecretUnreadable):
            cipher.decrypt(base64.urlsafe_b64encode(altered).decode(), record=RECORD)


@pytest.mark.parametrize("sealed", ["", "clear", "ünsealed", "gAAAA", CLEAR])
def test_what_was_never_sealed_does_not_open(cipher, sealed):
    with pytest.raises(SecretUnreadable):
        cipher.decrypt(sealed, record=RECORD)


def test_without_its_key_it_does_not_open(cipher):
    with pytest.raises(SecretUnreadable):
        FernetCipher([STRANGE, NEW]).decrypt(cipher.encrypt(CLEAR, record=RECORD), record=RECORD)


def test_a_new_key_in_front_seals_while_the_old_one_still_opens(cipher):
    both = FernetCipher([NEW, OLD])
    assert both.decrypt(cipher.encrypt(CLEAR, record=RECORD), record=RECORD) == CLEAR
    sealed = both.encrypt(CLEAR, record=RECORD)
    assert FernetCipher([NEW]).decrypt(sealed, record=RECORD) == CLEAR
    with pytest.raises(SecretUnreadable):
        cipher.decrypt(sealed, record=RECORD)


def test_what_was_renewed_does_without_the_old_key(cipher):
    both = FernetCipher([NEW, OLD])
    renewed = both.renewed(cipher.encrypt(CLEAR, record=RECORD), record=RECORD)
    assert FernetCipher([NEW]).decrypt(renewed, record=RECORD) == CLEAR
    assert both.renewed(renewed, record=RECORD) is None
    with pytest.raises(SecretUnreadable):
        both.renewed(renewed, record="another")


def test_the_key_is_not_the_secret_itself():
    secret = base64.urlsafe_b64encode(b"k" * 32).decode()
    with pytest.raises(InvalidToken):
        Fernet(secret).decrypt(FernetCipher([secret]).encrypt(CLEAR, record=RECORD).encode())


def test_without_keys_development_makes_one_and_keeps_it(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'var' / 'parley.db'}")
    [made] = encryption_keys(settings)
    assert encryption_keys(settings) == [made]
    assert len(made) >= 32
    [kept] = (tmp_path / "var").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
