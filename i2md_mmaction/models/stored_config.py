"""The config that a checkpoint carries as text, read without running it."""

import ast
from typing import Any, Dict, Optional

from mmengine.config import Config


def read_config(text: str) -> Dict:
    """Reads the text of a config that MMEngine has dumped: assignments of plain values.

    MMEngine's ``Config.fromstring`` would run whatever a checkpoint from
    elsewhere carries as its config. A dumped one needs no running: all that was
    computed in the file it came from is a plain value by then.

    Args:
        text: The config.

    Returns:
        Name -> value.

    Raises:
        ValueError: If the text is anything but assignments of texts, numbers,
            lists, tuples and dictionaries.

    Example:
        >>> read_config("model = dict(type='CMD', streams=('joint', 'bone'))")
        {'model': {'type': 'CMD', 'streams': ('joint', 'bone')}}
    """
    try:
        statements = ast.parse(text).body
    except SyntaxError as error:
        raise ValueError(f'no config can be read from the text: {error}') from error
    content = {}
    for statement in statements:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(target, ast.Name) or len(statement.targets) > 1:
            raise ValueError(f'line {statement.lineno} of the config is no assignment of a plain value')
        content[target.id] = _value(statement.value)
    return content


def _value(node: ast.expr) -> Any:
    """The value of an expression, in which ``dict`` is the one name."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        if not node.args and all(keyword.arg for keyword in node.keywords):
            return {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    elif isinstance(node, ast.Dict) and all(node.keys):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values)}
    elif isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    else:
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError):
            pass
    raise ValueError(f'line {node.lineno} of the config has more than plain values: {ast.unparse(node)[:60]}')


def stored_config(checkpoint: Dict) -> Optional[Config]:
    """The config of the run that a checkpoint is of; None if it carries none.

    Args:
        checkpoint: As :func:`.checkpoints.read_checkpoint` gives it.

    Raises:
        ValueError: If what it carries is no config.
    """
    text = checkpoint.get('meta', {}).get('cfg')
    return Config(read_config(text)) if isinstance(text, str) else None


def model_settings(checkpoint: Dict) -> Dict:
    """The settings of the model that a checkpoint is of, such as ``layout``; empty if it says nothing."""
    meta = checkpoint.get('meta', {})
    if 'model' in meta:
        return meta['model']
    try:
        model = read_config(meta.get('cfg') or '').get('model')
    except (TypeError, ValueError):  # a checkpoint from elsewhere
        return {}
    # All that version 0.1 kept of its settings is the text.
    return {name: value for name, value in dict(model or {}).items() if isinstance(value, (str, int, float))}
