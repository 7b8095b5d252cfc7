"""What the assistant knows of a shop, and the rules that need no model."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.conversations.assistance import Brief, KeywordReply, KnowledgeSection, MatchType, brief_of

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12).map(str.casefold)


def replies(*rules):
    return Brief(shop_name="Lantern", keyword_replies=rules)


@given(before=st.text(max_size=20), keyword=words, after=st.text(max_size=20))
def test_a_contained_keyword_matches_wherever_it_stands(before, keyword, after):
    rule = KeywordReply(keywords=(keyword,), reply="yes")
    assume(
        keyword in (before + keyword + after).strip().casefold()
    )  # letters may fold together with neighbours
    assert replies(rule).keyword_reply(before + keyword + after) == "yes"


@given(text=st.text(max_size=40), keyword=words)
def test_a_keyword_matches_only_where_it_is_said(text, keyword):
    assume(keyword not in text.strip().casefold())
    for how in MatchType:
        assert not KeywordReply(keywords=(keyword,), reply="no", match_type=how).matches(text)


@pytest.mark.parametrize("text", ["Shipping", " SHIPPING ", "shipping\n"])
def test_an_exact_keyword_is_the_whole_message_but_for_case_and_blanks(text):
    assert KeywordReply(keywords=("shipping",), reply="", match_type=MatchType.EXACT).matches(text)


@pytest.mark.parametrize(("keyword", "text"), [("straße", "STRASSE"), ("σος", "ΣΟΣ"), ("größe", "GRÖSSE")])
def test_case_is_folded_as_each_language_does(keyword, text):
    brief = brief_of("Lantern", {"keyword_replies": [{"keywords": keyword, "reply": "yes"}]})
    assert brief.keyword_reply(text) == "yes"


def test_an_exact_keyword_is_no_part_of_a_message():
    rule = KeywordReply(keywords=("shipping",), reply="", match_type=MatchType.EXACT)
    assert not rule.matches("shipping costs")


def test_any_of_a_rules_keywords_will_do_and_the_first_rule_wins():
    first = KeywordReply(keywords=("price", "cost"), reply="first")
    second = KeywordReply(keywords=("cost", "ship"), reply="second")
    brief = replies(first, second)
    assert brief.keyword_reply("what does it cost?") == "first"
    assert brief.keyword_reply("do you ship?") == "second"
    assert brief.keyword_reply("hello") is None


@given(st.text(max_size=60))
def test_without_rules_and_knowledge_there_is_nothing_to_say(text):
    assert replies().keyword_reply(text) is None
    assert replies().best_section(text) is None


SHIPPING = KnowledgeSection(title="Shipping", content="We send parcels by bicycle within two days. You pay.")
RETURNS = KnowledgeSection(title="Returns", content="Send it back within thirty days of shipping.")


def knowing(*sections):
    return Brief(shop_name="Lantern", knowledge=sections)


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("How does shipping work?", SHIPPING),
        ("Returns of what you send by bicycle?", RETURNS),  # the title weighs more
        ("You? Two?", None),  # nor do those of three letters
        ("How about RETURNS?", RETURNS),
        ("by bicycle?", SHIPPING),
        ("thirty days?", RETURNS),
        ("within days?", SHIPPING),  # the first of equals
        ("Is it by it of a the?", None),  # short words say nothing
        ("", None),
        ("🙂", None),
    ],
)
def test_the_best_section_shares_the_most_words(question, section):
    assert knowing(SHIPPING, RETURNS).best_section(question) is section


@pytest.mark.parametrize(
    ("question", "content"), [("配送", "配送 2日"), ("שער", "שער ראשי"), ("مال", "مال نقد")]
)
def test_short_words_count_in_scripts_that_need_few_letters(question, content):
    section = KnowledgeSection(title="", content=content)
    assert knowing(section).best_section(question) is section


@given(st.lists(st.tuples(st.text(max_size=20), st.text(min_size=1, max_size=30)), max_size=5), st.text())
def test_a_best_section_is_one_of_the_shops_and_shares_a_word(sections, question):
    brief = knowing(*(KnowledgeSection(title=title, content=content) for title, content in sections))
    best = brief.best_section(question)
    if best is not None:
        assert best in brief.knowledge
        assert knowing(best).best_section(question) is best


def test_a_brief_is_the_assistants_share_of_the_settings():
    brief = brief_of(
        "Lantern",
        {
            "assistant_config": {
                "system_prompt": "Be kind.",
                "language": "pt",
                "tone": "female",
                "response_delay": 3,
            },
            "keyword_replies": [{"keywords": " Price, ,COST ", "reply": "10", "match_type": "exact"}],
            "knowledge_base": {
                "user_defined": [{"title": "About", "content": "A shop."}],
                "product_data": "Lamp\n10 EUR\n\n\n\nTable\n90 EUR\n",
            },
        },
    )
    assert brief == Brief(
        shop_name="Lantern",
        instructions="Be kind.",
        language="pt",
        tone="female",
        delay_seconds=3,
        keyword_replies=(KeywordReply(keywords=("price", "cost"), reply="10", match_type=MatchType.EXACT),),
        knowledge=(
            KnowledgeSection(title="About", content="A shop."),
            KnowledgeSection(title="Lamp", content="Lamp\n10 EUR"),
            KnowledgeSection(title="Table", content="Table\n90 EUR"),
        ),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"assistant_config": None, "keyword_replies": None, "knowledge_base": None},
        {"assistant_config": {"system_prompt": None, "language": "", "tone": None, "response_delay": None}},
        {"knowledge_base": {"user_defined": None, "product_data": None}},
    ],
)
def test_a_shop_that_says_nothing_has_an_empty_brief(settings):
    assert brief_of("Lantern", settings) == Brief(shop_name="Lantern")


@pytest.mark.parametrize(
    "entry",
    [
        {"keywords": "hi", "reply": "hello", "enabled": False},
        {"keywords": "hi", "reply": "hello", "apply_to": {"chat": False, "comments": True}},
        {"keywords": "hi", "reply": ""},
        {"keywords": " , ,", "reply": "hello"},
        {"reply": "hello"},
    ],
)
def test_replies_that_are_off_or_empty_are_left_out(entry):
    assert brief_of("Lantern", {"keyword_replies": [entry]}).keyword_replies == ()


@pytest.mark.parametrize(
    "entry",
    [
        {"keywords": "hi", "reply": "hello"},
        {"keywords": "hi", "reply": "hello", "enabled": True, "apply_to": {"chat": True}},
        {"keywords": "hi", "reply": "hello", "apply_to": None, "match_type": None},
    ],
)
def test_replies_are_on_unless_they_say_otherwise(entry):
    rule = KeywordReply(keywords=("hi",), reply="hello")
    assert brief_of("Lantern", {"keyword_replies": [entry]}).keyword_replies == (rule,)


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        (
            {"keyword_replies": [{"keywords": "hi", "reply": "no", "match_type": "regex"}]},
            ["keyword_replies.0.match_type"],
        ),
        (
            {"keyword_replies": [{"keywords": "hi", "reply": "no", "match_type": {}}]},
            ["keyword_replies.0.match_type"],
        ),
        (
            {"keyword_replies": [{"keywords": ["hi"], "reply": 7}]},
            ["keyword_replies.0.keywords", "keyword_replies.0.reply"],
        ),
        ({"keyword_replies": ["hi", 7]}, ["keyword_replies.0", "keyword_replies.1"]),
        ({"keyword_replies": {"hi": "no"}}, ["keyword_replies"]),
        (
            {"keyword_replies": [{"keywords": "x", "reply": "y", "apply_to": "chat"}]},
            ["keyword_replies.0.apply_to"],
        ),
        ({"assistant_config": {"response_delay": "soon"}}, ["assistant_config.response_delay"]),
        ({"assistant_config": {"response_delay": [1]}}, ["assistant_config.response_delay"]),
        ({"assistant_config": {"response_delay": float("inf")}}, ["assistant_config.response_delay"]),
        ({"assistant_config": {"response_delay": 10**400}}, ["assistant_config.response_delay"]),
        (
            {"assistant_config": {"language": 7, "tone": {}}},
            ["assistant_config.language", "assistant_config.tone"],
        ),
        ({"assistant_config": "short", "knowledge_base": []}, ["assistant_config", "knowledge_base"]),
        (
            {"knowledge_base": {"user_defined": [{"content": 7}], "product_data": 8}},
            ["knowledge_base.user_defined.0.content", "knowledge_base.product_data"],
        ),
    ],
)
def test_what_cannot_be_read_is_passed_over_and_named(settings, places):
    """Documents are checked when they are saved, but rows live longer than rules."""
    good = {"keywords": "hello", "reply": "Good day"}
    if isinstance(rules := settings.get("keyword_replies", []), list):
        settings = settings | {"keyword_replies": [*rules, good]}
    brief = brief_of("Lantern", settings)
    assert sorted(brief.unreadable) == sorted(places)
    assert brief.keyword_reply("hi") is None
    if isinstance(rules, list):
        assert brief.keyword_reply("hello") == "Good day"
    assert (brief.language, brief.tone, brief.delay_seconds) == ("en", "neutral", 0)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "keyword_replies",
                        "assistant_config",
                        "knowledge_base",
                        "user_defined",
                        "product_data",
                    ),
                    *(
                        "keywords",
                        "reply",
                        "match_type",
                        "apply_to",
                        "chat",
                        "enabled",
                        "response_delay",
                        "content",
                    ),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["keyword_replies", "assistant_config", "knowledge_base"]), ANYTHING))
def test_no_settings_leave_a_customer_without_a_brief(settings):
    brief = brief_of("Lantern", settings)
    assert 0 <= brief.delay_seconds <= 60
    assert brief.keyword_reply("hello") is None or isinstance(brief.keyword_reply("hello"), str)


@pytest.mark.parametrize(("asked", "delay"), [(-5, 0), (0, 0), (7, 7), (7.9, 7), ("7", 7), (3600, 60)])
def test_an_assistant_takes_its_time_but_not_for_ever(asked, delay):
    assert brief_of("Lantern", {"assistant_config": {"response_delay": asked}}).delay_seconds == delay


def test_a_section_without_content_is_none():
    sections = [{"title": "Empty", "content": ""}, {"title": "None"}, {"content": "untitled"}]
    brief = brief_of("Lantern", {"knowledge_base": {"user_defined": sections}})
    assert brief.knowledge == (KnowledgeSection(title="", content="untitled"),)
