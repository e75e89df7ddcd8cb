"""The environment as one frozen value; every mistake in it is reported at once, by name.

Knows nothing of what the settings are used for.
"""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "FEDI_LETTER_"
RESERVED_USERNAMES = frozenset({"instance.actor"})
USERNAME_PATTERN = r"^[a-z0-9_]+([.-]+[a-z0-9_]+)*$"


class SettingsRefused(Exception):
    """One or more settings are wrong; `problems` has a sentence for each, by name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Act(StrEnum):
    """Acts that may sign the letter."""

    REPLY = "reply"
    BOOST = "boost"


class PlainReply(StrEnum):
    """What a reply without a signing phrase is."""

    HOLD = "hold"
    SIGN = "sign"
    COMMENT = "comment"


class Entry(StrEnum):
    """What a clear signature is."""

    ACCEPT = "accept"
    HOLD = "hold"


class LogLevel(StrEnum):
    """How much the log says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """Everything that can be set from outside; `.env` beside the process gives defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore", env_file_encoding="utf-8"
    )

    origin: str = Field(
        default="http://localhost:8000",
        description="scheme, host and port under which the world sees us; cannot change later",
    )
    username: str = Field(
        default="letter",
        pattern=USERNAME_PATTERN,
        max_length=64,
        description="the actor is @USERNAME@host; cannot change later",
    )
    letter: Path | None = Field(
        default=None,
        description="Markdown file, or folder of NAME.<lang>.md files; the shipped letter if unset",
    )
    database_url: str = Field(
        default="sqlite:///letter.db",
        description="SQLAlchemy URL; postgresql://… for more than one machine",
    )
    keys: Path = Field(
        default=Path("keys"), description="folder of private keys, made on first start, files 0600"
    )
    sign_by: Annotated[frozenset[Act], NoDecode] = Field(
        default=frozenset({Act.REPLY, Act.BOOST}), description="which acts sign the letter"
    )
    plain_replies: PlainReply = Field(
        default=PlainReply.HOLD,
        description="a public reply without a signing phrase: hold, sign or comment",
    )
    admission: Entry = Field(
        default=Entry.ACCEPT, description="a clear signature: accept at once, or hold for review"
    )
    allow_private_addresses: bool = Field(
        default=False,
        description="laboratory only: permits plain http and private or loopback peers",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="what a scraper of /metrics must show as Bearer token; without, loopback alone",
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")

    @field_validator("origin")
    @classmethod
    def _origin_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http(s)://host or http(s)://host:port")
        if parts.username or parts.query or parts.fragment or parts.path not in ("", "/"):
            raise ValueError(
                "must have no path, query, fragment or user, only scheme, host and port"
            )
        _ = parts.port  # raises ValueError when the port is no number
        return value.rstrip("/").lower()

    @field_validator("username")
    @classmethod
    def _username_is_free(cls, value: str) -> str:
        if value in RESERVED_USERNAMES:
            raise ValueError(f"{value} is the name of the server's own actor; choose another")
        return value

    @field_validator("sign_by", mode="before")
    @classmethod
    def _sign_by_is_a_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        acts = [act.strip().lower() for act in value.split(",") if act.strip()]
        if not acts:
            raise ValueError("must name at least one of reply, boost")
        return acts

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, value: str) -> str:
        scheme = value.split(":", 1)[0].split("+", 1)[0]
        if scheme not in ("sqlite", "postgresql", "postgres"):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return value.replace("postgres://", "postgresql://", 1)

    @model_validator(mode="after")
    def _laboratory_is_not_public(self) -> "Settings":
        if self.allow_private_addresses and self.origin.startswith("https:") and self.is_public:
            raise ValueError(
                f"{PREFIX}ALLOW_PRIVATE_ADDRESSES=true is for laboratories and is refused together "
                f"with the public {PREFIX}ORIGIN={self.origin}; unset one of them"
            )
        return self

    @property
    def is_public(self) -> bool:
        """Whether the origin's host is one the world can reach."""
        host = urlsplit(self.origin).hostname or ""
        try:
            return ipaddress.ip_address(host).is_global
        except ValueError:
            return "." in host and not host.endswith((".localhost", ".test", ".invalid", ".local"))


def _sentence(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = PREFIX + str(error["loc"][0]).upper()
    given = error.get("input")
    secret = error["loc"][0] in ("database_url", "metrics_token")  # the first may hold a password
    shown = f" (it is {given!r})" if isinstance(given, str) and not secret else ""
    return f"{name}: {message}{shown}"


def load_settings(**overrides: Any) -> Settings:
    """Answer the settings of this process; raises SettingsRefused naming every mistake."""
    try:
        return Settings(**overrides)
    except ValidationError as refused:
        raise SettingsRefused([_sentence(error) for error in refused.errors()]) from None
