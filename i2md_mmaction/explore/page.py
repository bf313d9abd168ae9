"""The page itself: one file that needs no server and no network."""

import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Dict, Union

from ..io import write_file

#: In the order in which they run.
SCRIPTS = ('skeleton.js', 'scatter.js', 'lists.js', 'page.js', 'start.js')


def render_page(content: Dict[str, Any]) -> str:
    """Puts content, style and scripts into one HTML page.

    No name or label can end the element that holds the content: every ``<`` of
    it is written as an escape of JSON. The scripts only ever set text.

    Args:
        content: From :func:`.content.make_content`.
    """
    sources = files(__package__)
    data = json.dumps(content, ensure_ascii=False, separators=(',', ':')).replace('<', '\\u003c')
    parts = dict(
        title=html.escape(content['title']),
        style=sources.joinpath('page.css').read_text(encoding='utf-8'),
        script='\n'.join(sources.joinpath(name).read_text(encoding='utf-8') for name in SCRIPTS),
        content=data,
    )
    # In one pass, so that nothing is replaced inside what was put in.
    template = sources.joinpath('page.html').read_text(encoding='utf-8')
    return re.sub(r'\{\{(\w+)\}\}', lambda field: parts[field[1]], template)


def write_page(content: Dict[str, Any], path: Union[str, Path]) -> Path:
    """Writes the page whole or not at all.

    Returns:
        The path.
    """
    return write_file(path, render_page(content))
