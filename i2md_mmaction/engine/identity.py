"""What a result was computed from, as a digest."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Mapping, Union

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


class DataDigests:
    """Digests of annotation files by content, each taken once."""

    def __init__(self) -> None:
        self._known: Dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """The digest of an annotation file; of a packed folder that of its index, which names contents."""
        if path not in self._known:
            file = Path(path, INDEX) if Path(path).is_dir() else Path(path)
            self._known[path] = file_digest(file)
        return self._known[path]


def identify(checkpoint: str, config: Union[Config, Mapping], settings: Mapping, digests: DataDigests) -> str:
    """A digest of the weights, the resolved config and the data that a result is computed from.

    Annotation files count by their content, not by where they are.

    Args:
        checkpoint: Digest of the checkpoint.
        config: The config, or the parts of it that matter.
        settings: What else the result depends on.
        digests: Gives the digest of an annotation file.

    Raises:
        FileNotFoundError: If an annotation file is not there.
    """

    def plain(value: Any, key: str = '') -> Any:
        if isinstance(value, Config):
            value = {name: value[name] for name in _COMPUTED if name in value}
        if key == 'ann_file':
            return digests(value)
        if isinstance(value, Mapping):
            return {str(name): plain(item, name) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return value if isinstance(value, (int, float, str, type(None))) else repr(value)

    content = json.dumps([checkpoint, plain(config), plain(settings)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
