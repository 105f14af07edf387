"""The page: package data (HTML, CSS, JavaScript) put into one file with the numbers of a fit."""

from __future__ import annotations

import html
import json
import os
from importlib.resources import files
from typing import Any

from ..values import to_json

SCRIPTS = ("numbers.js", "models.js", "draw.js", "charts.js", "app.js")
HEIGHT = 1180  # pixels of the frame in a notebook


class Page:
    """A page of HTML: `html`, `save(path)`; notebooks show it in a frame of its own."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload

    @property
    def html(self) -> str:
        parts = files(__package__) / "page"
        scripts = "\n".join((parts / name).read_text("utf-8") for name in SCRIPTS)
        # in a script only "<" could end it, and JSON has its own way to write it
        data = json.dumps(to_json(self.payload), allow_nan=False, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
        filled = {
            "TITLE": html.escape(f"{self.payload['title']} · {self.payload['what']}"),
            "STYLE": (parts / "style.css").read_text("utf-8"),
            "DATA": data,
            "SCRIPT": scripts,
        }
        head, *rest = (parts / "page.html").read_text("utf-8").split("{{")  # one place each; what is filled in is not searched
        pieces = [head]
        for part in rest:
            name, after = part.split("}}", 1)
            pieces += [filled[name], after]
        return "".join(pieces)

    def save(self, path: str | os.PathLike[str]) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.html)

    def __repr__(self) -> str:
        return f"<Page {self.payload['title']}: {self.payload['what']}>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="{html.escape(self.payload["title"])}" srcdoc="{html.escape(self.html)}" '
            f'sandbox="allow-scripts" style="width:100%;height:{HEIGHT}px;border:0;border-radius:8px"></iframe>'
        )
