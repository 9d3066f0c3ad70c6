"""Profiles of `.databrickscfg`, the file that Databricks' own tools read and write: what one says of us to log in.

The file is read when it is asked for, never at import, and nothing of it is logged. How a login is made of it does
not belong here: it is the same as with settings.
"""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_FILE, DEFAULT_PROFILE = "~/.databrickscfg", "DEFAULT"

# By the names that the SDK gives to ways to log in: what a profile holds for each. There are more; they need a
# person, or a machine of one cloud.
_LOGINS: Mapping[str, tuple[str, ...]] = {
    "pat": ("token",),
    "oauth-m2m": ("client_id", "client_secret"),
    "azure-client-secret": ("azure_client_id", "azure_client_secret", "azure_tenant_id"),
}
_PLACES = ("host", "warehouse_id")


class ProfileError(Exception):
    """A profile cannot be used. The message is one sentence, without a word of what the file holds."""


@dataclass(frozen=True)
class Profile:
    """A profile.

    Attributes:
        name: Its name.
        file: The file, as it was given.
        values: What it holds of host, warehouse and login, under the file's own keys.
    """

    name: str
    file: str
    values: Mapping[str, str] = field(repr=False)

    @property
    def place(self) -> Mapping[str, str]:
        """Its host and warehouse, as far as it names them."""
        return {name: self.values[name] for name in _PLACES if name in self.values}

    def login(self) -> Mapping[str, str]:
        """What it logs in with; nothing if it says nothing of that.

        Raises:
            ProfileError: it logs in by other means, or by several without saying which of them is meant.
        """
        chosen = self.values.get("auth_type")
        if chosen and chosen not in _LOGINS:
            raise ProfileError(
                f"The profile {self.name} of {self.file} logs in in a way (auth_type) that runs cannot use: let "
                "it hold client_id and client_secret of a service principal, or azure_client_id, "
                "azure_client_secret and azure_tenant_id of one of Azure, or a token."
            )
        held = [way for way, names in _LOGINS.items() if any(name in self.values for name in names)]
        ways = [chosen] if chosen else held
        if len(ways) > 1:
            raise ProfileError(
                f"The profile {self.name} of {self.file} holds several ways to log in ({', '.join(ways)}): say "
                "which one is meant as its auth_type."
            )
        return {name: self.values[name] for way in ways for name in _LOGINS[way] if name in self.values}


def read_profile(name: str | None, file: str | None) -> Profile:
    """Read a profile.

    Args:
        name: Its name; DEFAULT if it is not given.
        file: The file; `~/.databrickscfg` if it is not given.

    Raises:
        ProfileError: there is no such file or profile, or it cannot be read.
    """
    name, file = name or DEFAULT_PROFILE, file or DEFAULT_FILE
    # As the SDK reads it: DEFAULT is a profile like any other one, and a % in a value is only that.
    parser = configparser.ConfigParser(default_section="", interpolation=None)
    if problem := _problem_of(parser, file):
        raise ProfileError(
            f"{file} cannot be read for the profile {name} ({problem}): see DATABRICKS_CONFIG_FILE and "
            "DATABRICKS_CONFIG_PROFILE."
        )
    if not parser.has_section(name):
        raise ProfileError(f"{file} has no profile {name}: see DATABRICKS_CONFIG_PROFILE.")
    kept = (*_PLACES, "auth_type", *(each for names in _LOGINS.values() for each in names))
    values = {each: text for each in kept if (text := parser.get(name, each, fallback="").strip())}
    # An INI file takes an indented line for more of the line before it: the next key would be lost, with a secret.
    if swallowing := next((each for each, text in values.items() if "\n" in text), None):
        raise ProfileError(
            f"The profile {name} of {file} has an indented line after its {swallowing}: let every line of it "
            "begin at the margin."
        )
    return Profile(name, file, values)


def not_told(name: str | None, file: str | None) -> str:
    """What is said where a profile is named, and something is missing that it could have told."""
    return (
        f"The profile {name or DEFAULT_PROFILE} of {file or DEFAULT_FILE} does not tell it either: what is read "
        "of one are host, warehouse_id, and client_id and client_secret, or azure_client_id, azure_client_secret "
        "and azure_tenant_id, or token."
    )


def _problem_of(parser: configparser.ConfigParser, file: str) -> str | None:
    """Let the parser read the file, or tell why it cannot: its own words quote the line, and with it a secret."""
    try:
        # Editors of Windows put a mark before the first line.
        parser.read_string(Path(file).expanduser().read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return "there is no such file"
    except (OSError, RuntimeError) as error:
        return getattr(error, "strerror", None) or "there is no home folder"
    except UnicodeDecodeError:
        return "it is not text in UTF-8"
    except configparser.DuplicateSectionError as error:
        return f"line {error.lineno} names a profile that is there already"
    except configparser.DuplicateOptionError as error:
        return f"line {error.lineno} says again what its profile says already"
    except configparser.Error:
        return "it is not written as an INI file"
    return None
