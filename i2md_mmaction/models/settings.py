"""Numbers of a config that would give wrong losses, refused when a model is built."""

import math


def check_positive(**settings: float) -> None:
    """Refuses temperatures and the like that are not positive and finite.

    Raises:
        ValueError: Names the setting.

    Example:
        >>> check_positive(temperature=0)
        Traceback (most recent call last):
        ...
        ValueError: temperature must be a positive number, got 0
    """
    for name, value in settings.items():
        if not (_is_number(value) and value > 0):
            raise ValueError(f'{name} must be a positive number, got {value!r}')


def check_weights(**settings: float) -> None:
    """Refuses weights of losses that are negative or not finite; 0 leaves a term out.

    Raises:
        ValueError: Names the setting.
    """
    for name, value in settings.items():
        if not (_is_number(value) and value >= 0):
            raise ValueError(f'{name} must be a number of at least 0, got {value!r}')


def check_topk(option: str, k: int, rows: int) -> None:
    """Refuses to take no row, or more rows than the bank has.

    Raises:
        ValueError: If k is no whole number from 1 to the rows; names the option.
    """
    if not isinstance(k, int) or k < 1:
        raise ValueError(f'{option} must be a whole number of at least 1, got {k!r}')
    if k > rows:
        raise ValueError(f'{option}={k} exceeds the {rows} rows of the bank; lower it or enlarge the bank')


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
