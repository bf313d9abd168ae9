"""Pages take up the tables of a study."""

import pytest

from i2md_mmaction.study.page import fill_page


def test_a_page_takes_up_each_table_and_keeps_the_rest():
    page = (
        'A\n<!-- my:a -->\nold\n<!-- /my:a -->\n<!-- my:b --><!-- /my:b -->\n'
        '<!-- other:a --><!-- /other:a -->'
    )
    filled = fill_page(page, dict(a='| \\1 |', b='two', c='three'), 'my')
    assert filled == (
        'A\n<!-- my:a -->\n\n| \\1 |\n\n<!-- /my:a -->\n<!-- my:b -->\n\ntwo\n\n<!-- /my:b -->\n'
        '<!-- other:a --><!-- /other:a -->'
    )
    assert fill_page(filled, dict(a='| \\1 |', b='two'), 'my') == filled


@pytest.mark.parametrize(
    'page, message',
    [
        ('no place', 'not whole'),
        ('<!-- other:a --><!-- /other:a -->', 'not whole'),
        ('<!-- my:a --> open', 'not whole'),
        ('<!-- my:a --><!-- my:b --><!-- /my:a --><!-- /my:b -->', 'not whole'),
        ('<!-- my:z --><!-- /my:z -->', r"no table for \['z'\]; there are \['a', 'b'\]"),
    ],
)
def test_a_page_whose_places_are_not_clear_is_refused(page, message):
    with pytest.raises(ValueError, match=message):
        fill_page(page, dict(a='one', b='two'), 'my')
