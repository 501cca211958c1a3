"""What every page has: one file that needs no network, no server and no script.

Names are escaped by the template engine; the content security policy lets the browser load nothing but the page's
own pictures and audio, and run nothing but the one script whose hash it names. The script only adds comfort
(players of a task share their position); without it every player works alone.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench import __version__
from reports.escape import clean
from reports.model import count

_HERE = Path(__file__).parent


def render(template: Path, *, more_style: Path | None = None, more_script: Path | None = None, **values: Any) -> str:
    """A page from a template that extends `frame.html.j2`.

    Args:
        template: its file.
        more_style: a style sheet that only this page needs, after the one that all have.
        more_script: a script likewise.
        values: what it shows, the `title` among them. Texts are cleaned and escaped.
    """
    sheets = [_HERE / "style.css", *([more_style] if more_style else [])]
    style = "".join(sheet.read_text("utf-8") for sheet in sheets)
    scripts = [_HERE / "player.js", *([more_script] if more_script else [])]
    script = "".join(each.read_text("utf-8") for each in scripts)
    frame = {"policy": policy(style, script), "style": Markup(style), "script": Markup(script), "version": __version__}
    return _environment(template.parent).get_template(template.name).render(**frame, **values) + "\n"


def policy(style: str, script: str) -> str:
    """The content security policy: nothing but this style, this script, and files beside the page.

    Browsers differ in whether `'self'` matches a page opened from the disk, so `file:` stands beside it; a page that
    came over the network cannot load files anyway.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "img-src 'self' file:",
            "media-src 'self' file:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE / "templates"]),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["count"] = count
    return environment


def _finalize(value: Any) -> Any:
    """Every text that is put into the page is cleaned of control characters first, escaped after."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
