"""What a model or a data set states once reaches its parts from there."""

from inspect import signature
from typing import Any, Dict

from mmengine.registry import Registry

#: What a model and a data set both state of their skeletons.
SKELETON = ('layout', 'num_persons', 'num_coordinates')


def fill_in(config: Dict, registry: Registry, **stated: Any) -> Dict:
    """Adds to the config of a part what the whole has stated, where its class has such an argument.

    Args:
        config: Config of the part.
        registry: Where its class is looked up.
        **stated: What the whole states, such as :data:`SKELETON`; None leaves
            the part at its default.

    Returns:
        The config to build the part from; the one given is left as it is.

    Raises:
        ValueError: If the part's config states something else than the whole.

    Example:
        >>> from mmaction.registry import MODELS
        >>> fill_in(dict(type='BiGRU', num_layers=1), MODELS, layout='kinect20')
        {'layout': 'kinect20', 'type': 'BiGRU', 'num_layers': 1}
    """
    part = config.get('type')
    part = registry.get(part) if isinstance(part, str) else part
    arguments = signature(part).parameters if part is not None else {}
    stated = {name: value for name, value in stated.items() if name in arguments and value is not None}
    for name, value in stated.items():
        if config.get(name, value) != value:
            raise ValueError(
                f'{config["type"]} is given {name}={config[name]!r}, but what it belongs to has {name}='
                f'{value!r}; state it once, on the model for its parts and on the data set for its pipeline'
            )
    return {**stated, **config}
