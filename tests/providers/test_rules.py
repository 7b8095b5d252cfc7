"""Answers by rules. The sentences are such as customers write."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.providers.rules import RulesAssistant
from core.conversations.assistance import Brief, KeywordReply, KnowledgeSection
from core.conversations.messages import TEXT_LIMIT, Draft, cleaned, fit
from core.conversations.speeches import SPEECHES, asks_for_person
from tests.providers.said import PICTURE, said

SHIPPING = KnowledgeSection(title="Shipping", content="Two days by bicycle.")
PRICES = KeywordReply(keywords=("price",), reply="From 10 EUR.")
BRIEF = Brief(shop_name="Lantern", keyword_replies=(PRICES,), knowledge=(SHIPPING,))


async def answer(text, brief=BRIEF):
    return await RulesAssistant().answer(brief, [], said(text))


async def test_a_keyword_comes_before_knowledge():
    reply = await answer("What is the price of shipping?")
    assert (reply.text, reply.hand_over) == ("From 10 EUR.", False)


@pytest.mark.parametrize(
    ("text", "hands_over"), [("menu", False), ("The menu, and I want to talk to an agent", True)]
)
async def test_a_keyword_reply_sends_its_picture_with_words_or_without(text, hands_over):
    for words in ("Here it is.", ""):
        rule = KeywordReply(keywords=("menu",), reply=words, attachment=PICTURE)
        reply = await answer(text, Brief(shop_name="Lantern", keyword_replies=(rule,)))
        assert (reply.text, reply.attachments, reply.hand_over) == (words, (PICTURE,), hands_over)


async def test_knowledge_comes_before_a_person():
    reply = await answer("How fast is shipping?")
    assert (reply.text, reply.hand_over) == ("Two days by bicycle.", False)


async def test_a_person_takes_what_is_left():
    reply = await answer("Do you sell boats?")
    assert (reply.text, reply.hand_over) == (SPEECHES["en"].hand_over, True)


async def test_who_asks_for_a_person_gets_one_whatever_else_is_known():
    reply = await answer("Shipping is late, I want to talk to a human")
    assert (reply.text, reply.hand_over) == (SPEECHES["en"].hand_over, True)


async def test_the_shops_own_words_go_with_the_person_asked_for():
    agents = KeywordReply(keywords=("agent",), reply="Anna will be with you.")
    reply = await answer("agent please", Brief(shop_name="Lantern", keyword_replies=(agents,)))
    assert (reply.text, reply.hand_over) == ("Anna will be with you.", True)


async def test_settings_that_cannot_be_read_are_told_to_the_log_and_answered_all_the_same():
    with capture_logs() as logs:
        reply = await answer(
            "What is the price?", replace(BRIEF, unreadable=("keyword_replies.0.match_type",))
        )
        await answer("What is the price?")
    assert reply.text == "From 10 EUR."
    [line] = logs
    assert (line["event"], line["places"]) == ("shop_settings_unreadable", ("keyword_replies.0.match_type",))


async def test_a_picture_without_words_is_for_a_person():
    assert (await answer("")).hand_over


@pytest.mark.parametrize("reply", [" ", "\n\t", "\x00\x1b", "\ud800"])
async def test_a_reply_or_section_that_says_nothing_is_passed_over(reply):
    brief = Brief(
        shop_name="Lantern",
        keyword_replies=(KeywordReply(keywords=("boats",), reply=reply),),
        knowledge=(KnowledgeSection(title="boats", content=reply),),
    )
    assert (await answer("boats?", brief)).hand_over


LANGUAGES = {
    "en": "en",
    "HE": "he",
    "es": "es",
    "es-MX": "es",
    "pt_BR": "pt",
    "ar": "ar",
    "he": "he",
    "de-AT": "de",
    " fr ": "fr",
    "my": "en",
    "": "en",
    "-": "en",
    "Klingon": "en",
}


@pytest.mark.parametrize(("language", "spoken"), LANGUAGES.items(), ids=repr)
async def test_customers_are_handed_over_in_the_shops_language(language, spoken):
    reply = await answer("boats?", Brief(shop_name="Lantern", language=language))
    assert reply.text == SPEECHES[spoken].hand_over


def test_no_two_languages_hand_over_in_the_same_words():
    assert len({speech.hand_over for speech in SPEECHES.values()}) == len(SPEECHES) == 7


FOR_A_PERSON = """
I want to talk to a human
human
Human!!!
agent please
can I speak with one of your agents?
real person
Hello, I'd like to speak to someone
get me a real person now
please connect me to customer support
I need a human being
TALK TO A HUMAN
Quiero hablar con una persona
necesito un agente
¿puedo hablar con alguien?
persona por favor
Atención al cliente
Gostaria de falar com um atendente
quero um humano
posso falar com alguém?
أريد التحدث مع موظف
اريد التكلم مع شخص حقيقي
هل يمكنني أن أتحدث مع إنسان؟
خدمة العملاء
موظف لو سمحت
أحتاج إلى موظف
אני רוצה לדבר עם נציג
נציג בבקשה
אפשר לדבר עם בן אדם?
תעבירו אותי לנציג
Ich möchte mit einem Menschen sprechen
Kann ich bitte mit jemandem reden?
Kann ich mit jemandem aus dem Laden reden?
Mitarbeiter bitte
Ich brauche einen Mitarbeiter
Verbinden Sie mich mit dem Kundenservice
Je voudrais parler à quelqu'un
Je voudrais parler à quelqu’un
Un humain s'il vous plaît
J'ai besoin d'une personne
je veux un conseiller
"""

NOT_FOR_A_PERSON = """
How much is shipping?
Do you have human hair wigs?
Which travel agents do you work with in Spain?
Is there a discount for a second person?
A table for one person at eight
I want a gift for a nice person
I need a chair for a person of two metres
I talked about it yesterday with my wife
Will a person sign for the parcel?
Contact person: Mara Klein, 030 1234567
My contact person is Mara
I want 2 persons
Quiero para 2 personas, por favor
Ich brauche 2 Personen
Je veux 4 personnes
Quiero una camiseta roja
cuánto cuesta para tres personas la excursión
quanto custa para duas pessoas?
هل لديكم توصيل؟
כמה עולה המשלוח?
Wie viel kostet der Versand?
Combien de personnes peuvent venir ?
Bonjour
Hallo
🙂
"""


@pytest.mark.parametrize("text", FOR_A_PERSON.strip().splitlines())
def test_a_wish_for_a_person_is_understood(text):
    assert asks_for_person(text)


@pytest.mark.parametrize("text", NOT_FOR_A_PERSON.strip().splitlines())
def test_other_sentences_are_no_wish_for_a_person(text):
    assert not asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    ["talk " * 1000, "talk a b c d " * 380, "i want " * 700, "! " * 2500, "talk" + "!" * 4996, "a" * 5000],
)
def test_no_text_keeps_the_rules_busy(text):
    started = time.process_time()
    asks_for_person(text)
    assert time.process_time() - started < 0.25


@given(question=st.text(max_size=200), reply=st.text(max_size=50), content=st.text(max_size=50))
async def test_an_answer_is_always_one_that_can_be_posted(question, reply, content):
    brief = Brief(
        shop_name="Lantern",
        keyword_replies=(KeywordReply(keywords=("a",), reply=reply),),
        knowledge=(KnowledgeSection(title="", content=content),),
    )
    first = await answer(question, brief)
    assert Draft(text=first.text).text == first.text
    assert await answer(question, brief) == first, "it depends on something else"


@given(st.text(max_size=60), st.integers(1, 400))
def test_a_text_is_cut_only_when_it_does_not_fit(text, times):
    whole, fitted = cleaned(text * times).strip(), fit(text * times)
    assert len(fitted) <= TEXT_LIMIT
    if fitted != whole:
        assert whole.startswith(fitted.removesuffix("…"))
        assert len(whole) > TEXT_LIMIT
        assert len(fitted) > TEXT_LIMIT - 102


def test_a_long_text_is_cut_between_words():
    fitted = fit("somewhere, " * 1_000)
    assert TEXT_LIMIT - 13 < len(fitted) <= TEXT_LIMIT
    assert fitted.endswith(" somewhere,…")
    assert fit("x" * 6_000) == "x" * (TEXT_LIMIT - 1) + "…"
    assert fit("x" * TEXT_LIMIT) == "x" * TEXT_LIMIT
