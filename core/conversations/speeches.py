"""Asking for a person, and being handed over to one, in the languages we know."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How customers ask for a person in a language, and what we say then. Patterns carry no accents."""

    hand_over: str
    people: str
    talk: str
    """Comes before the people, up to four words away: *speak* to one of your *agents*."""
    want: str
    """The same, but close: a *need* for much else is none for a person."""
    please: str
    talk_after: str = ""

    def pattern(self) -> str:
        people = rf"\b(?:{self.people})\b"
        ways = [
            rf"\b(?:{self.talk})\b{_words(4)}{people}",
            rf"\b(?:{self.want})\b{_words(2)}{people}",
            rf"^\W*(?:\w+\W+)?{people}(?:\W+(?:{self.please}))?\W*$",
        ]
        if self.talk_after:
            ways.append(rf"{people}{_words(3)}\b(?:{self.talk_after})\b")
        return "|".join(ways)


def _words(most: int) -> str:
    return rf"(?:\W+\w+){{0,{most}}}?\W+"


SPEECHES = {
    "en": Speech(
        hand_over="Let me pass this on to our team: a person will answer you here.",
        people=r"human(?: being)?s?|persons?|someone|somebody|agents?|operators?|representatives?|reps?"
        r"|advisors?|(?:staff|team) members?|employees?|managers?|colleagues?"
        r"|customer (?:service|support|care)",
        talk=r"talk|speak|chat|connect|transfer|switch|forward|pass|put|reach|contact|call",
        want=r"i want|i need|i.d like|i would like|get me|give me|i prefer|may i have|can i (?:have|get)",
        please=r"please|pls|plz|now|thanks|thank you",
    ),
    "es": Speech(
        hand_over="Paso su consulta a nuestro equipo: una persona le responderá aquí.",
        people=r"personas?|human[oa]s?|agentes?|operador(?:a|es)?|representantes?|asesor(?:a|es)?|alguien"
        r"|emplead[oa]s?|encargad[oa]s?|atencion al cliente",
        talk=r"hablar|hable|charlar|chatear|comunicar(?:me)?|comuniqueme|conectar(?:me)?|conecteme|pasar?me"
        r"|paseme|transferir(?:me)?|contactar|atienda",
        want=r"quiero|quisiera|necesito|deseo|dame|deme|prefiero|me gustaria",
        please=r"por favor|porfa|ya|gracias",
    ),
    "pt": Speech(
        hand_over="Vou encaminhar para a nossa equipe: uma pessoa responderá aqui.",
        people=r"pessoas?|human[oa]s?|atendentes?|agentes?|operador(?:a|es)?|representantes?|alguem|gerentes?"
        r"|funcionari[oa]s?|(?:atendimento|suporte) humano",
        talk=r"falar|conversar|conectar?|transferir|transfira|transfere|passar?|encaminhar?|contatar|atendid[oa]",
        want=r"quero|queria|preciso|desejo|prefiro|gostaria(?: de)?",
        please=r"por favor|pfv|agora|obrigad[oa]",
    ),
    "ar": Speech(
        hand_over="سأحيل سؤالك إلى فريقنا، وسيرد عليك أحد أفراده هنا.",
        people=r"(?:ال|لل|ب|ل)?(?:موظف|موظفه|موظفة|شخص|انسان|بشري|ممثل|مندوب|مسوول)|احد"
        r"|(?:ل|ب)?خدمة العملاء",
        talk=r"(?:ال|لل|ن)?(?:تحدث|تكلم|حديث|كلام|تواصل|محادثة|محادثه)|اتحدث|اتكلم|اتواصل"
        r"|كلمني|حولني|حولوني|تحويلي|وصلني",
        want=r"اريد|احتاج|ابغي|ابغى|عايز|عاوز|بدي|اعطني|اعطوني",
        please=r"من فضلك|لو سمحت|رجاء|شكرا",
    ),
    "he": Speech(
        hand_over="השיחה עוברת לצוות שלנו, ותשובה של אדם תגיע לכאן.",
        people=r"(?:ל|ב|ה|מה)?(?:נציג|נציגה|נציגת|נציגי|בן אדם|אדם|מישהו|מישהי|אנושי|אנושית|מוקדן|מוקדנית)"
        r"|(?:ל|ב)?שירות (?:ה)?לקוחות",
        talk=r"לדבר|לשוחח|שיחה|להתכתב|תעביר|תעבירו|תעבירי|להעביר|העבירו|תחבר|תחברו|לחבר",
        want=r"רוצה|צריך|צריכה|מבקש|מבקשת|תן לי|תנו לי|מעדיף|מעדיפה",
        please=r"בבקשה|תודה|עכשיו",
    ),
    "de": Speech(
        hand_over="Ich gebe das an unser Team weiter: Ein Mensch wird Ihnen hier antworten.",
        people=r"mensch(?:en)?|person(?:en)?|jemand(?:em|en)?|mitarbeiter(?:in|n)?|berater(?:in|n)?|agent(?:en)?"
        r"|ansprechpartner(?:in)?|kolleg(?:e|en|in)|kunden(?:dienst|service|berater|betreuung)",
        talk=r"sprechen|sprich|reden|chatten|verbinde(?:n|t)?|kontaktieren|weiterleiten",
        want=r"ich mochte|ich will|ich brauche|ich hatte gern|ich bevorzuge|geben sie mir|gib mir",
        please=r"bitte|danke|jetzt",
        talk_after=r"sprechen|reden|chatten|schreiben|telefonieren|verbinden|verbunden|weiterleiten|weitergeleitet",
    ),
    "fr": Speech(
        hand_over="Je transmets à notre équipe : une personne vous répondra ici.",
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
    """English for a language that we do not know."""
    speech = SPEECHES.get(re.split(r"[-_]", language.strip().lower())[0])
    return (speech or SPEECHES["en"]).hand_over


def _plain(text: str) -> str:
    """Without case and accents, which people leave out when they are in a hurry."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
