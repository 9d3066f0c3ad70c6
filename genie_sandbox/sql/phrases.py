"""Reading the administrative statements that the SQL parser does not know, token by token."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Name, Session
from genie_sandbox.sql.errors import SqlError, unsupported
from genie_sandbox.sql.rewriting import DIALECT

_PREFIX = "SELECT "


class Phrase:
    """A statement read from left to right. Keywords are compared without case."""

    def __init__(self, statement: str, session: Session, parameters: Parameters) -> None:
        try:
            # At the start of a text some of these words would swallow the rest as one token.
            _, *tokens = sqlglot.tokenize(_PREFIX + statement, read=DIALECT)
        except SqlglotError as error:
            raise SqlError("PARSE_SYNTAX_ERROR", str(error)) from None
        while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
            tokens.pop()
        self._statement = _PREFIX + statement
        self._tokens = tokens
        self._at = 0
        self.session = session
        self.parameters = parameters

    def accept(self, *words: str) -> bool:
        """Whether `words` come next; they are then read."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [token.text.upper() for token in ahead] != list(words):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Read `words`; a syntax error if something else comes."""
        if not self.accept(*words):
            raise self._unexpected()

    def end(self) -> None:
        """A syntax error unless everything has been read."""
        if self._at < len(self._tokens):
            raise self._unexpected()

    def word(self) -> str:
        """The next word, whatever it is, in upper case."""
        return self._next().text.upper()

    def parts(self) -> list[str]:
        """A name of any number of parts, also as `IDENTIFIER(...)`."""
        if self.accept("IDENTIFIER", "("):
            text = self._identifier()
            self.expect(")")
            return [part.name for part in exp.to_table(text, dialect=DIALECT).parts]
        found = [self._next().text]
        while self.accept("."):
            found.append(self._next().text)
        return found

    def name(self) -> Name:
        """The full name of a table or volume."""
        parts = self.parts()
        if len(parts) > 3:
            raise SqlError("INVALID_IDENTIFIER", f"{'.'.join(parts)} has more than three parts.")
        return self.session.name(*parts)

    def schema(self) -> tuple[str, str]:
        """Catalog and schema, in lower case."""
        name = self.session.name(*self.parts(), "x")
        return name.catalog, name.schema

    def string(self) -> str:
        """A string literal or a parameter's value."""
        if self.accept(":"):
            return self.parameters.text(self._next().text) or ""
        token = self._next()
        if token.token_type is not TokenType.STRING:
            raise self._unexpected(token)
        return token.text

    def property_name(self) -> str:
        """The name of a property: a string, or words with dots."""
        ahead = self._tokens[self._at : self._at + 1]
        return self.string() if ahead and ahead[0].token_type is TokenType.STRING else ".".join(self.parts())

    def number(self) -> float:
        """A number."""
        token = self._next()
        if token.token_type is not TokenType.NUMBER:
            raise self._unexpected(token)
        return float(token.text)

    def names_in_brackets(self) -> list[str]:
        """`(a, b)` or `a, b`."""
        bracket = self.accept("(")
        found = [self._next().text]
        while self.accept(","):
            found.append(self._next().text)
        if bracket:
            self.expect(")")
        return found

    def condition(self, *until: str) -> exp.Expression:
        """An expression that ends before one of the words `until`; parameters become literals."""
        first = self._at
        while self._at < len(self._tokens) and self._tokens[self._at].text.upper() not in until:
            self._at += 1
        if first == self._at:
            raise self._unexpected()
        text = self._statement[self._tokens[first].start : self._tokens[self._at - 1].end + 1]
        try:
            parsed = sqlglot.parse_one(text, read=DIALECT)
        except SqlglotError as error:
            raise SqlError("PARSE_SYNTAX_ERROR", str(error)) from None
        holder = exp.Where(this=parsed)
        self.parameters.inline(holder, exp.Literal.string)
        return holder.this

    def rest(self) -> str:
        """What has not been read, for messages."""
        return " ".join(token.text for token in self._tokens[self._at :])

    def _identifier(self) -> str:
        text = self.string()
        if not text:
            raise unsupported("IDENTIFIER of NULL")
        return text

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1]

    def _unexpected(self, token: Token | None = None) -> SqlError:
        found = token or (self._tokens[self._at] if self._at < len(self._tokens) else None)
        where = f"at or near '{found.text}'" if found else "at the end of the statement"
        return SqlError("PARSE_SYNTAX_ERROR", f"Syntax error {where}.")
