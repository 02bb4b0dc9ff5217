"""Names of users as names of folders."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_SUFFIXES = re.compile(r"(\.template)?\.(yaml|yml|json|py|tf)(?=$|:)", re.IGNORECASE)
_LONGEST = 60


def slug(text: str) -> str:
    """Return a name in `[a-z0-9-]` of 1 to 60 characters; a fingerprint stands for what is lost."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    foreign = any(character.isalnum() and not character.isascii() for character in plain)
    if words and len(words) <= _LONGEST and not foreign:
        return words
    mark = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return "-".join(part for part in (words[: _LONGEST - len(mark) - 1].strip("-"), mark) if part)


def design_slug(design: str) -> str:
    """Return the folder name of a design, which usually is a file: `infra/template.yaml` becomes `infra-template`.

    Of an absolute path only the file counts: where a project lies is no part of the name of its report.
    """
    path = design.replace("\\", "/")
    absolute = path.startswith("/") or re.match(r"[A-Za-z]:/", path)
    return slug(_SUFFIXES.sub("", path.rstrip("/").rsplit("/", 1)[-1] if absolute else path))
