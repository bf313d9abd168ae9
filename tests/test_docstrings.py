"""Every part that a config can name shows what it does, and every public name says what it is."""

import doctest
import inspect
import pkgutil
from dataclasses import dataclass
from importlib import import_module

import mmaction.registry
import mmengine.registry
import pytest
from mmengine.registry import Registry

import i2md_mmaction


def registered_classes():
    """The classes of ours in all registries of mmaction2 and MMEngine, a class of two names once."""
    registries = {
        id(registry): registry
        for module in (mmaction.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
    }
    found = {cls for registry in registries.values() for cls in registry.module_dict.values()}
    return sorted((cls for cls in found if cls.__module__.startswith('i2md_mmaction')), key=full_name)


def full_name(thing):
    return f'{thing.__module__}.{thing.__qualname__}'


def has_example(cls):
    """Whether the docstring of a class or of its ``__init__`` holds an example that doctest runs."""
    parts = [cls, *(vars(cls)[name] for name in ('__init__',) if name in vars(cls))]
    finder = doctest.DocTestFinder(recurse=False)
    return any(test.examples for part in parts for test in finder.find(part, full_name(cls)))


def public_names():
    """(name, what it names) for each class and function in the ``__all__`` of our packages."""
    packages = [i2md_mmaction.__name__] + [
        module.name
        for module in pkgutil.walk_packages(i2md_mmaction.__path__, 'i2md_mmaction.')
        if module.ispkg
    ]
    for package in map(import_module, packages):
        for name in getattr(package, '__all__', ()):
            thing = getattr(package, name)
            # A constant has the docstring of its type; its comment is not to be found at run time.
            if inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing):
                yield f'{package.__name__}.{name}', thing


def has_docstring(thing):
    """Whether it has a docstring that was written: not inherited, nor a data class's list of fields."""
    text = thing.__dict__.get('__doc__') if inspect.isclass(thing) else thing.__doc__
    return bool(text) and not text.startswith(f'{thing.__name__}(')


def test_every_registered_class_has_an_example():
    classes = registered_classes()
    assert {'CMD', 'MoCoMemoryHook', 'KNNLoop', 'Shear'} <= {cls.__name__ for cls in classes}
    without = [full_name(cls) for cls in classes if not has_example(cls)]
    assert not without, f'give these classes an Example that runs: {without}'


def test_every_public_name_has_a_docstring():
    names = dict(public_names())
    assert {'i2md_mmaction.models', 'i2md_mmaction.evaluation.knn_predict'} <= set(names)
    without = [name for name, thing in names.items() if not has_docstring(thing)]
    assert not without, f'give these a docstring: {without}'


class Shown:
    """Adds.

    Example:
        >>> 1 + 1
        2
    """


class ShownByInit:
    """Adds."""

    def __init__(self):
        """Adds.

        Example:
            >>> 1 + 1
            2
        """


class Silent(Shown):
    """Only its parent has an example."""

    def method(self):
        """An example of a method is none of the class.

        >>> 1 + 1
        2
        """


class Bare(Shown):
    pass


@pytest.mark.parametrize('cls, shown', [(Shown, True), (ShownByInit, True), (Silent, False), (Bare, False)])
def test_an_example_of_a_parent_or_of_a_method_does_not_count(cls, shown):
    assert has_example(cls) is shown


@dataclass
class Listed:
    field: int


@pytest.mark.parametrize(
    'thing, written', [(Shown, True), (full_name, False), (Bare, False), (Listed, False)]
)
def test_only_a_written_docstring_counts(thing, written):
    assert has_docstring(thing) is written
