"""What a run wrote of itself."""

import json
from pathlib import Path
from typing import Dict, List, Tuple, Union


def read_knn_curves(work_dir: Union[str, Path]) -> Dict[str, Tuple[List[int], List[float]]]:
    """Reads the validation accuracies of a run, over all its resumptions.

    Args:
        work_dir: Folder in which MMEngine's runner wrote its logs.

    Returns:
        Stream (``'all streams'`` for their concatenation) -> (epochs,
        accuracies in percent).

    Raises:
        FileNotFoundError: If no log holds a validation.
    """
    values: Dict[str, Dict[int, float]] = {}
    for log in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        lines = log.read_text().splitlines(keepends=True)
        if lines and not lines[-1].endswith('\n'):
            lines.pop()  # a killed run leaves half of its last line
        for line in lines:
            record = json.loads(line)
            for key, value in record.items():
                if key.startswith('knn/top1'):
                    name = key[len('knn/top1_') :] or 'all streams'
                    values.setdefault(name, {})[record['step']] = value
    if not values:
        raise FileNotFoundError(
            f'no log under {work_dir} holds a k-NN validation; give the work_dir of a run'
        )
    return {name: tuple(map(list, zip(*sorted(curve.items())))) for name, curve in values.items()}
