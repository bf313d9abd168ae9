"""The pages: links that lead somewhere, sentences that stand once, and code that runs as it is printed."""

import argparse
import ast
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction

ROOT = Path(__file__).parents[1]
METHODS, EXTENDING = ROOT / 'docs/methods.md', ROOT / 'docs/extending.md'
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted(ROOT.glob('docs/*.md')),
    *sorted(ROOT.glob('projects/**/README.md')),
]
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.M | re.S)


# What is wrong with a page.


def without_code(text):
    """A page without its code blocks, with as many lines."""
    text = FENCE.sub(lambda block: '\n' * block[0].count('\n'), text)
    return re.sub(r'(?<=\n\n)(?: {4}.*\n)+', lambda block: '\n' * block[0].count('\n'), text)


@cache
def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found = []
    for heading in re.findall(r'^#+ (.+)$', without_code(page.read_text(encoding='utf-8')), re.M):
        slug = re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        found.append(slug if slug not in found else f'{slug}-{found.count(slug)}')
    return found


@cache
def definitions(path):
    """The first line of each function, method and class of a file, by qualified name."""

    def walk(node, prefix):
        for child in node.body:
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                yield prefix + child.name, child.lineno
                yield from walk(child, f'{prefix}{child.name}.') if isinstance(child, ast.ClassDef) else ()

    return dict(walk(ast.parse(path.read_text(encoding='utf-8')), ''))


def links(text):
    """Text and target of every link of a page, those by reference included.

    Raises:
        AssertionError: If a reference is nowhere defined, or defined for nothing.
    """
    text = without_code(text)
    defined = dict(re.findall(r'^\[([^\]\n]+)\]: (\S+)$', text, re.M))
    body = re.sub(r'^\[[^\]\n]+\]: \S+$', '', text, flags=re.M)
    found = re.findall(r'\[([^\[\]]*)\]\(([^()\s]+)\)', body)
    used = re.findall(r'\[([^\[\]]*)\]\[([^\[\]]+)\]', body)
    used += [(name, name) for name in re.findall(r'\[(`[^\[\]`]+`)\](?![\[(])', body)]
    assert {name for _, name in used} == set(defined), 'references and their definitions do not match'
    return found + [(name, defined[reference]) for name, reference in used]


def broken_links(page):
    """Links of a page that lead nowhere, each with what is wrong."""
    broken = []
    for text, target in links(page.read_text(encoding='utf-8')):
        file, _, anchor = target.partition('#')
        if re.match(r'\w+:', target):
            continue
        path = (page.parent / file).resolve() if file else page
        line = re.fullmatch(r'L(\d+)', anchor)
        if not path.exists():
            broken.append(f'{target}: no such file')
        elif line:
            wanted = definitions(path).get(text.strip('`'))
            if wanted != int(line[1]):
                broken.append(f'{target}: {text} is on line {wanted}')
        elif anchor and anchor not in anchors(path):
            broken.append(f'{target}: no such heading; there are {anchors(path)}')
    return broken


def renumber(page):
    """Puts the lines on which things stand now into the definitions of a page's links."""

    def line(link):
        return f'{link[1]}{definitions((page.parent / link[3]).resolve())[link[2]]}'

    text = page.read_text(encoding='utf-8')
    page.write_text(re.sub(r'^(\[`(.+)`\]: (\S+)#L)\d+$', line, text, flags=re.M), encoding='utf-8')


def long_lines(page):
    """Numbers of lines over 120 characters, but for a definition that is one long address."""
    return [
        number
        for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1)
        if len(line) > 120 and not re.fullmatch(r'\[[^\]]+\]: https://\S+', line)
    ]


def sentences(page):
    """The sentences of more than 8 words in a page's prose, in plain lower case."""
    text = without_code(page.read_text(encoding='utf-8'))
    text = re.sub(r'^(?:#|\||\[[^\]]+\]: ).*$', '', text, flags=re.M)
    text = re.sub(r'\]\([^)]*\)|\]\[[^\]]*\]', '', text)  # what a link leads to
    for paragraph in re.split(r'\n\s*\n|\n\s*(?:[-*]|\d+\.) ', text):
        for sentence in re.split(r'(?<=[.!?:])\s+', ' '.join(paragraph.split())):
            words = re.findall(r'\w+', sentence.lower())
            if len(words) > 8:
                yield ' '.join(words)


def doubled_sentences(pages):
    """Sentences that stand in two places, with the pages."""
    places = {}
    for page in pages:
        for sentence in sentences(page):
            places.setdefault(sentence, []).append(page.name)
    return {sentence: names for sentence, names in places.items() if len(names) > 1}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert not broken_links(page), 'python tests/test_docs.py puts the lines of code right'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_is_too_long(page):
    assert not long_lines(page)


def test_no_sentence_stands_in_two_places():
    assert not doubled_sentences(PAGES)


def test_the_readme_is_short():
    assert len(PAGES[0].read_text(encoding='utf-8').splitlines()) <= 150


def test_the_checks_find_what_is_wrong(tmp_path):
    (tmp_path / 'code.py').write_text('import os\n\n\n@decorated\nclass A:\n    def run(self): ...\n')
    page, other = tmp_path / 'page.md', tmp_path / 'other.md'
    page.write_text(
        '# A title, of sorts\n\nGood: [`A`](code.py#L5), [`A.run`], [file](code.py), [up](#a-title-of-sorts),'
        '\n[away](https://example.org/#L3).\n\n```bash\n[code](is/no/link)\n# no heading\n```\n\n'
        'Bad: [`A`](code.py#L4), [`run`](code.py#L6), [gone](gone.py), [down](#no-heading)\n\n'
        '[`A.run`]: code.py#L6\n'
    )
    assert [problem.split(':')[0] for problem in broken_links(page)] == [
        'code.py#L4',
        'code.py#L6',
        'gone.py',
        '#no-heading',
    ]
    (tmp_path / 'code.py').write_text('class A:\n    def run(self): ...\n')
    definitions.cache_clear()
    renumber(page)
    assert page.read_text().endswith('\n[`A.run`]: code.py#L2\n')
    for text in ('[`B`]', '[`B`]: code.py', '[B][b]'):
        with pytest.raises(AssertionError, match='do not match'):
            links(text)
    other.write_text(f'{"x" * 120}\n{"x" * 121}\n[a]: https://{"x" * 120}\n')
    assert long_lines(other) == [2]

    twice = 'This one sentence of nine whole words stands twice.'
    page.write_text(f'- {twice} Short ones may.\n\n| {twice} |\n\n```\n{twice}\n```\n')
    other.write_text('This one [sentence](of.md) of nine\nwhole words stands twice. Short ones may.\n')
    assert list(doubled_sentences([page, other]).values()) == [['page.md', 'other.md']]
    assert not doubled_sentences([page])


# What the page on methods says.


def test_each_method_has_a_section_under_the_anchor_that_others_link_to():
    methods = ['i2md', 'cmd', 'moco-v2', 'mcl', 'crossclr', 'skeletonclr', 'aimclr']
    assert anchors(METHODS)[1:] == ['configs', *methods, 'ablations-as-configuration', 'citations']


ABLATIONS = METHODS.read_text(encoding='utf-8').partition('## Ablations')[2]


@pytest.mark.parametrize('options', sorted(set(re.findall(r'`(model\.[^`\n]+)`', ABLATIONS))))
def test_every_ablation_is_taken_by_the_model(options):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    overrides = parser.parse_args(['--cfg-options', *shlex.split(options)]).cfg_options
    config = Config.fromfile(ROOT / 'configs/i2md_ntu60.py')
    for option in overrides:
        part = config
        for name in option.split('.'):
            assert name in part or option == 'model.edges', f'{option} is no option of the config'
            part = part.get(name)
    config.merge_from_dict(overrides)
    config.model.backbone.update(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16)
    model = MODELS.build(config.model)
    for option, value in overrides.items():
        part = model
        for name in option.split('.')[1:]:
            part = getattr(part, name)
        assert list(part) == list(value) if isinstance(value, (list, tuple)) else part == value


if __name__ == '__main__':
    for page in (METHODS, EXTENDING):
        renumber(page)
