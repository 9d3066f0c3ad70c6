"""Texts and ids that break careless code."""

HOSTILE_TEXTS: tuple[str, ...] = (
    "Robert'); DROP TABLE message_details; --",
    "' OR '1'='1' /* \"quoted\" `ticks` */",
    "</script><script>alert('revenue')</script>",
    "{{ jinja }} ${shell} $(id) %s %d {0} :start_day ?",
    "../../etc/passwd\\..\\windows",
    "Umsatz für 🏭🚀👩‍👩‍👧 und 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 – ﷽",
    "\u202eאיפה ההכנסות? \u200fعربي\u202c",
    "a NUL \u0000 and a bell \u0007 in the middle",
    "line one\nline two\r\n\ttabbed\u2028separated",
    '=HYPERLINK("http://example.com","click")',
    "null",
    "  spaces at both ends  ",
    "<REDACTED>",
    "e\u0301 is not é; ﬁ is not fi; K is not K",
)
LONE_SURROGATE = "revenue by \ud83d region"  # half an emoji, as JSON escapes can carry it

# Unusual but usable ids: whoever pastes them into a URL or a statement fails.
HOSTILE_CONVERSATION_ID = "c'1; DROP TABLE x --"
HOSTILE_MESSAGE_IDS = ('a/b c?d=ü&"e"#1%2F', "m\\'2+3`😀`")

# Ids that no request may be made with.
UNUSABLE_IDS = ("..", "line\nbreak", "9" * 300)
