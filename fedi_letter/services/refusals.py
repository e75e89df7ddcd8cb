"""What the authors and admins may be refused, each with a sentence that says what to do."""


class PublicationRefused(Exception):
    """What was asked cannot be published; the message says why and what to do."""


class ModerationRefused(Exception):
    """An admin's wish that cannot be carried out at all; the message says why and what to do."""
