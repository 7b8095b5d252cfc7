"""What is meant by the name of a product, as customers and models say it."""

import pytest

from core.catalogue.model import ProductKind
from core.catalogue.offers import Offer, by_name


def search(name, *names):
    offers = [
        Offer(id=offer, kind=ProductKind.PRODUCT, name=offer, category=None, price_minor=100, stock=1)
        for offer in names
    ]
    return by_name(offers, name)


@pytest.mark.parametrize(
    ("said", "offer"),
    [
        ("Tea", "Tea"),
        ("tea", "Tea"),
        ("green  TEA", "Green Tea, 100 g"),
        ("a cup of tea, please", "Tea"),
        ("Tea!", "Tea"),
        ("iced tea (tea)", "Tea"),
        ("Creme Bru\u0302le\u0301e", "Crème Brûlée"),
        ("creme brulee", "Crème Brûlée"),
        ("ラーメン", "味噌ラーメン"),
        ("ชาเย็นแก้วใหญ่", "ชาเย็น"),
    ],
)
def test_the_only_one_that_fits_is_meant(said, offer):
    found = search(said, offer, "House Espresso").found
    assert found is not None
    assert found.name == offer


@pytest.mark.parametrize(
    ("said", "offer"),
    [
        ("Steak", "Tea"),
        ("Teapot", "Tea"),
        ("ea", "Tea"),
        ("e", "Tea"),
        ("", "Tea"),
        ("か", "が"),
        ("Tea2", "Tea"),
    ],
)
def test_what_only_stands_within_a_word_is_not_meant(said, offer):
    found = search(said, offer, "House Espresso")
    assert found.found is None
    assert {candidate.name for candidate in found.candidates} == {offer, "House Espresso"}


def test_exactly_this_one_comes_before_those_that_differ_in_accents():
    assert search("Pâté", "Pate", "Pâté").found.name == "Pâté"
    assert search("pâte", "Pate", "Pâté").found is None
