"""Whose request it is, behind proxies and without."""

import pytest

from adapters.wire.addresses import Addresses


def seen(peer: str | None, forwarded: str = "", *trusted: str) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded.split("|") if line]
    return Addresses(trusted).of({"client": (peer, 1) if peer else None, "headers": headers})


def test_without_proxies_the_peer_counts():
    assert seen("203.0.113.9", "198.51.100.1") == "203.0.113.9"


def test_a_trusted_proxy_may_say_for_whom_it_asks():
    assert seen("10.0.0.1", "198.51.100.1", "10.0.0.0/8") == "198.51.100.1"


def test_a_stranger_may_not():
    assert seen("203.0.113.9", "198.51.100.1", "10.0.0.0/8") == "203.0.113.9"


def test_what_the_client_put_in_front_does_not_count():
    assert seen("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "10.0.0.0/8") == "198.51.100.1"


def test_several_lines_are_one_list():
    assert seen("10.0.0.1", "1.1.1.1|198.51.100.1|10.0.0.2", "10.0.0.0/8") == "198.51.100.1"


@pytest.mark.parametrize("forwarded", ["nonsense", "unknown", "198.51.100.1:8080", "", " , "])
def test_what_is_no_address_is_not_believed(forwarded: str):
    assert seen("10.0.0.1", forwarded, "10.0.0.0/8") == "10.0.0.1"


def test_only_proxies_all_the_way_is_the_first_of_them():
    assert seen("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.0/8") == "10.0.0.3"


def test_a_customers_whole_ipv6_network_is_one_address():
    assert seen("2001:db8:1:2::1") == seen("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert seen("2001:db8:1:3::1") != seen("2001:db8:1:2::1")


def test_an_ipv4_address_in_ipv6_clothes_is_the_same():
    assert seen("::ffff:203.0.113.9") == seen("203.0.113.9")
    assert seen("::ffff:10.0.0.1", "198.51.100.1", "10.0.0.0/8") == "198.51.100.1"


def test_over_a_unix_socket_nobody_has_one():
    assert seen(None) == "local"
