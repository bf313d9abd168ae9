"""What a result was computed from, as a digest."""

import hashlib
import json
from pathlib import Path
from typing import Any, Callable, Mapping, Union

from mmengine.config import Config

from ..datasets.packed import INDEX
from ..io import file_digest

#: Keys of a whole config that say what is computed, not where and how loudly it runs.
_COMPUTED = (
    'model',
    'sync_bn',
    *(f'{stage}_{part}' for stage in ('train', 'val', 'test') for part in ('dataloader', 'cfg', 'evaluator')),
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'custom_hooks',
    'randomness',
)


def data_digest(path: str) -> str:
    """The digest of an annotation file; of a packed folder that of its index, which names contents."""
    return file_digest(Path(path, INDEX) if Path(path).is_dir() else path)


def identify(
    checkpoint: str, config: Union[Config, Mapping], settings: Mapping, digest: Callable[[str], str]
) -> str:
    """A digest of the weights, the resolved config and the data that a result is computed from.

    Annotation files count by their content, not by where they are.

    Args:
        checkpoint: Digest of the checkpoint.
        config: The config, or the parts of it that matter.
        settings: What else the result depends on.
        digest: Gives the digest of an annotation file, as :func:`data_digest` does.

    Raises:
        FileNotFoundError: If an annotation file is not there.
    """

    def plain(value: Any, key: str = '') -> Any:
        if isinstance(value, Config):
            value = {name: value[name] for name in _COMPUTED if name in value}
        if key == 'ann_file':
            return digest(value)
        if isinstance(value, Mapping):
            return {str(name): plain(item, name) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return value if isinstance(value, (int, float, str, type(None))) else repr(value)

    content = json.dumps([checkpoint, plain(config), plain(settings)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
