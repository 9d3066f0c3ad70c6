"""What copy and paste leaves in a text that has to be exact: it looks right, and no server accepts it."""

import unicodedata

# Control characters, invisible marks, halves of characters, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00ab\u00bb"


def flaw(text: str, *, blanks: bool = False, letters: bool = False) -> str | None:
    """What is wrong with a text, to follow its name in a sentence; nothing of the text is in it. None: nothing is.

    Args:
        text: A token, a secret, an id, a path.
        blanks: Blanks may stand inside of it.
        letters: Other letters than plain ASCII ones may stand in it.
    """
    what = _found(text, blanks=blanks, letters=letters)
    return f"holds {what}, which copying and pasting leaves behind: copy it again without" if what else None


def _found(text: str, *, blanks: bool, letters: bool) -> str | None:
    if text != text.strip():
        return "white space or a line break at one of its ends"
    if any(unicodedata.category(char) in _INVISIBLE for char in text):
        return "an invisible character or a line break"
    if text and (text[0] in _QUOTES or text[-1] in _QUOTES):
        return "a quotation mark at one of its ends"
    if any(char.isspace() for char in text if not (blanks and char == " ")):
        return "a blank"
    if not letters and not text.isascii():
        return "a character that is not plain ASCII, such as a curly quotation mark"
    return None
