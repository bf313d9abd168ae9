"""The places of tables in a page."""

import re
from typing import Mapping


def fill_page(text: str, tables: Mapping[str, str], study: str) -> str:
    """Puts the tables of a study into their places in a Markdown page.

    A place is what stands between ``<!-- STUDY:NAME -->`` and
    ``<!-- /STUDY:NAME -->``. Those of other studies are left as they are.

    Args:
        text: The page.
        tables: As :func:`study_tables` gives them.
        study: Name of the study.

    Raises:
        ValueError: If the page has no place, one that is not closed, or one for
            which there is no table.

    Example:
        >>> fill_page('<!-- grid:knn -->old<!-- /grid:knn -->', dict(knn='new'), 'grid')
        '<!-- grid:knn -->\\n\\nnew\\n\\n<!-- /grid:knn -->'
    """
    name = re.escape(study)
    place = re.compile(rf'<!-- {name}:(\S+) -->.*?<!-- /{name}:\1 -->', re.DOTALL)
    closed, marks = place.findall(text), re.findall(rf'<!-- /?{name}:(\S+) -->', text)
    if not marks or sorted(marks) != sorted(2 * closed):
        raise ValueError(
            f'the places of the page are not whole: marks of {sorted(set(marks))}, of which {sorted(closed)} '
            f'are opened and then closed; write <!-- {study}:NAME --> and <!-- /{study}:NAME -->'
        )
    if unknown := set(closed) - set(tables):
        raise ValueError(f'there is no table for {sorted(unknown)}; there are {sorted(tables)}')
    return place.sub(
        lambda mark: f'<!-- {study}:{mark[1]} -->\n\n{tables[mark[1]]}\n\n<!-- /{study}:{mark[1]} -->', text
    )
