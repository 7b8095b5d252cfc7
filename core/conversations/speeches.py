"""What the assistant understands and says by itself, in the languages we know."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from core.orders.wishes import Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How customers ask for a person in a language, and what we say then. Patterns carry no accents."""

    hand_over: str
    ordered: str
    """What we say when an order was placed; `{number}` is its number."""
    booked: str
    people: str
    talk: str
    """Comes before the people, up to four words away: *speak* to one of your *agents*."""
    want: str
    """The same, but close: a *need* for much else is none for a person."""
    please: str
    talk_after: str = ""

    def pattern(self) -> str:
        people = rf"{_UNCOUNTED}\b(?:{self.people})\b"
        ways = [
            rf"\b(?:{self.talk})\b{_words(4)}{people}",
            rf"\b(?:{self.want})\b{_words(2)}{people}",
            rf"^\W*(?:\w+\W+)?{people}(?:\W+(?:{self.please}))?\W*$",
        ]
        if self.talk_after:
            ways.append(rf"{people}{_words(3)}\b(?:{self.talk_after})\b")
        return "|".join(ways)


_UNCOUNTED = "(?<![0-9] )"
"""Comes before people: a table for 2 persons is no wish to talk to them."""


def _words(most: int) -> str:
    return rf"(?:\W+\w+){{0,{most}}}?\W+"


SPEECHES = {
    "en": Speech(
        hand_over="Let me pass this on to our team: a person will answer you here.",
        ordered="Thank you! Your order {number} has been placed.",
        booked="Thank you! Your booking {number} has been placed.",
        people=r"human(?: being)?s?|persons?|someone|somebody|agents?|operators?|representatives?|reps?"
        r"|advisors?|(?:staff|team) members?|employees?|managers?|colleagues?"
        r"|customer (?:service|support|care)",
        talk=r"talk|speak|chat|connect|transfer|switch|forward|pass|put|reach|contact(?! person)|call",
        want=r"i want|i need|i.d like|i would like|get me|give me|i prefer|may i have|can i (?:have|get)",
        please=r"please|pls|plz|now|thanks|thank you",
    ),
    "es": Speech(
        hand_over="Paso su consulta a nuestro equipo: una persona le responderá aquí.",
        ordered="¡Gracias! Su pedido {number} ha sido registrado.",
        booked="¡Gracias! Su reserva {number} ha sido registrada.",
        people=r"personas?|human[oa]s?|agentes?|operador(?:a|es)?|representantes?|asesor(?:a|es)?|alguien"
        r"|emplead[oa]s?|encargad[oa]s?|atencion al cliente",
        talk=r"hablar|hable|charlar|chatear|comunicar(?:me)?|comuniqueme|conectar(?:me)?|conecteme|pasar?me"
        r"|paseme|transferir(?:me)?|contactar|atienda",
        want=r"quiero|quisiera|necesito|deseo|dame|deme|prefiero|me gustaria",
        please=r"por favor|porfa|ya|gracias",
    ),
    "pt": Speech(
        hand_over="Vou encaminhar para a nossa equipe: uma pessoa responderá aqui.",
        ordered="Obrigado! O seu pedido {number} foi registado.",
        booked="Obrigado! A sua reserva {number} foi registada.",
        people=r"pessoas?|human[oa]s?|atendentes?|agentes?|operador(?:a|es)?|representantes?|alguem|gerentes?"
        r"|funcionari[oa]s?|(?:atendimento|suporte) humano",
        talk=r"falar|conversar|conectar?|transferir|transfira|transfere|passar?|encaminhar?|contatar|atendid[oa]",
        want=r"quero|queria|preciso|desejo|prefiro|gostaria(?: de)?",
        please=r"por favor|pfv|agora|obrigad[oa]",
    ),
    "ar": Speech(
        hand_over="سأحيل سؤالك إلى فريقنا، وسيرد عليك أحد أفراده هنا.",
        ordered="شكرا! تم تسجيل طلبك {number}.",
        booked="شكرا! تم تسجيل حجزك {number}.",
        people=r"(?:ال|لل|ب|ل)?(?:موظف|موظفه|موظفة|شخص|انسان|بشري|ممثل|مندوب|مسوول)|احد"
        r"|(?:ل|ب)?خدمة العملاء",
        talk=r"(?:ال|لل|ن)?(?:تحدث|تكلم|حديث|كلام|تواصل|محادثة|محادثه)|اتحدث|اتكلم|اتواصل"
        r"|كلمني|حولني|حولوني|تحويلي|وصلني",
        want=r"اريد|احتاج|ابغي|ابغى|عايز|عاوز|بدي|اعطني|اعطوني",
        please=r"من فضلك|لو سمحت|رجاء|شكرا",
    ),
    "he": Speech(
        hand_over="השיחה עוברת לצוות שלנו, ותשובה של אדם תגיע לכאן.",
        ordered="תודה! ההזמנה {number} נקלטה.",
        booked="תודה! התור {number} נקבע.",
        people=r"(?:ל|ב|ה|מה)?(?:נציג|נציגה|נציגת|נציגי|בן אדם|אדם|מישהו|מישהי|אנושי|אנושית|מוקדן|מוקדנית)"
        r"|(?:ל|ב)?שירות (?:ה)?לקוחות",
        talk=r"לדבר|לשוחח|שיחה|להתכתב|תעביר|תעבירו|תעבירי|להעביר|העבירו|תחבר|תחברו|לחבר",
        want=r"רוצה|צריך|צריכה|מבקש|מבקשת|תן לי|תנו לי|מעדיף|מעדיפה",
        please=r"בבקשה|תודה|עכשיו",
    ),
    "de": Speech(
        hand_over="Ich gebe das an unser Team weiter: Ein Mensch wird Ihnen hier antworten.",
        ordered="Vielen Dank! Ihre Bestellung {number} ist aufgenommen.",
        booked="Vielen Dank! Ihre Buchung {number} ist aufgenommen.",
        people=r"mensch(?:en)?|person(?:en)?|jemand(?:em|en)?|mitarbeiter(?:in|n)?|berater(?:in|n)?|agent(?:en)?"
        r"|ansprechpartner(?:in)?|kolleg(?:e|en|in)|kunden(?:dienst|service|berater|betreuung)",
        talk=r"sprechen|sprich|reden|chatten|verbinde(?:n|t)?|kontaktieren|weiterleiten",
        want=r"ich mochte|ich will|ich brauche|ich hatte gern|ich bevorzuge|geben sie mir|gib mir",
        please=r"bitte|danke|jetzt",
        talk_after=r"sprechen|reden|chatten|schreiben|telefonieren|verbinden|verbunden|weiterleiten|weitergeleitet",
    ),
    "fr": Speech(
        hand_over="Je transmets à notre équipe : une personne vous répondra ici.",
        ordered="Merci ! Votre commande {number} est enregistrée.",
        booked="Merci ! Votre réservation {number} est enregistrée.",
        people=r"humaine?s?|personnes?|quelqu.un|agente?s?|operateurs?|operatrices?|conseillers?|conseilleres?"
        r"|representante?s?|employee?s?|service client|etre humain",
        talk=r"parler|discuter|echanger|joindre|contacter|transferer|transferez|passez.moi|mettez.moi|passer",
        want=r"je veux|je voudrais|j.ai besoin|j.aimerais|je souhaite|je prefere|donnez.moi",
        please=r"s.il (?:vous|te) plait|svp|stp|merci",
    ),
}

_ASKS_FOR_PERSON = re.compile("|".join(speech.pattern() for speech in SPEECHES.values()))


def asks_for_person(text: str) -> bool:
    """In any of the languages: customers do not always write in the shop's."""
    return _ASKS_FOR_PERSON.search(_plain(text)) is not None


def hand_over_text(language: str) -> str:
    return _speech(language).hand_over


def placed_text(language: str, placed: Sequence[Placed]) -> str:
    speech = _speech(language)
    sentences = [
        (speech.booked if one.is_booking else speech.ordered).format(number=one.order_id) for one in placed
    ]
    return "\n".join(sentences)


def _speech(language: str) -> Speech:
    """English for a language that we do not know."""
    return SPEECHES.get(re.split(r"[-_]", language.strip().lower())[0]) or SPEECHES["en"]


def _plain(text: str) -> str:
    """Without case and accents, which people leave out when they are in a hurry."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
