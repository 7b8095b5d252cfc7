"""RFC 8291's own example, and the keys of RFC 8292."""

import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.push_encryption import encrypted, from_base64url, point, unpadded
from adapters.providers.vapid import Vapid, key_from_secret, new_private_key, private_key
from tests.databases import START
from tests.services.pushes import Browser, decode, point_of

# RFC 8291, section 5 and appendix A
TEXT = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
RESULT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out_byte_by_byte():
    made = encrypted(TEXT, decode(P256DH), decode(AUTH), salt=decode(SALT), key=private_key(SENDER))
    assert unpadded(made) == RESULT


def test_the_browser_of_the_tests_reads_the_example_of_the_rfc():
    browser = Browser("https://push.example/", private_key(BROWSER), decode(AUTH))
    assert unpadded(point_of(browser.key)) == P256DH
    assert browser.read(decode(RESULT)) == TEXT


@given(text=st.binary(max_size=3993))
def test_whatever_is_written_is_read_by_its_browser_and_no_other(text):
    browser, other = Browser("https://push.example/"), Browser("https://push.example/")
    made = encrypted(text, point_of(browser.key), browser.auth)
    assert browser.read(made) == text
    assert len(made) <= 4096
    with pytest.raises(InvalidTag):
        other.read(made)
    assert made != encrypted(text, point_of(browser.key), browser.auth)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\4" + bytes(64),
        b"\2" + decode(P256DH)[1:33],
        decode(P256DH)[:-1],
        decode(P256DH) + b"\0",
        bytes(65),
    ],
)
def test_what_is_no_point_of_the_curve_is_refused(encoded):
    with pytest.raises(ValueError, match=r"."):
        point(encoded)


@pytest.mark.parametrize("text", ["aGk", "aGk=", "aGk=="])
def test_base64url_is_read_with_padding_and_without(text):
    assert from_base64url(text) == b"hi"


@pytest.mark.parametrize("text", ["a", "a b", "é", "aGk\n", "ab=c"])
def test_what_is_no_base64url_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_key_is_the_same_in_every_way_to_write_it():
    key = private_key(SENDER)
    as_setting = pem(key).replace("\n", "\\n")
    assert {Vapid(one, "").public_key for one in (key, private_key(pem(key)), private_key(as_setting))} == {
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        unpadded(bytes(32)),
        unpadded(b"\xff" * 32),
        unpadded(bytes(33)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----",
    ],
    ids=["none", "short", "zero", "too much", "too long", "another curve", "RSA", "no PEM"],
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        private_key(text)


def test_new_keys_are_new_and_good():
    one, other = new_private_key(), new_private_key()
    assert one != other
    assert len(decode(Vapid(private_key(one), "").public_key)) == 65


def test_a_secret_always_gives_the_same_key():
    secret, other = unpadded(b"s" * 32), unpadded(b"t" * 32)
    assert Vapid(key_from_secret(secret), "").public_key == Vapid(key_from_secret(secret), "").public_key
    assert Vapid(key_from_secret(secret), "").public_key != Vapid(key_from_secret(other), "").public_key


def test_a_signature_is_for_one_push_service_and_half_a_day():
    key = private_key(SENDER)
    header = Vapid(key, "mailto:mara@shop.example").authorization("https://push.example:8443/a?b=c", START)
    token = header.removeprefix("vapid t=").split(",")[0]
    claims = jwt.decode(
        token, key.public_key(), algorithms=["ES256"], options={"verify_exp": False, "verify_aud": False}
    )
    assert claims == {
        "aud": "https://push.example:8443",
        "exp": int(START.timestamp()) + 12 * 3600,
        "sub": "mailto:mara@shop.example",
    }
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
