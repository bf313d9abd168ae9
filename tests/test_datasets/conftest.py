"""Writers of raw files in the datasets' exact formats."""

import numpy as np
import pytest


def ntu_text(frames, newline='\n', joints=25):
    """A ``.skeleton`` file; each frame is a list of (body number, (25, 3) joints)."""
    lines = [f'{len(frames)}']
    for bodies in frames:
        lines.append(f'{len(bodies)}')
        for number, xyz in bodies:
            lines.append(f'{number} 0 1 1 0 0 0 0.02764709 0.05745083 2')
            lines.append(f'{joints}')
            for x, y, z in xyz[:joints]:
                lines.append(
                    f'{x:.7g} {y:.7g} {z:.7g} 277.419 191.8218 1036.233 519.1677 '
                    '-0.2059419 0.05349901 0.9692109 -0.1239193 2'
                )
    return newline.join(lines) + newline


@pytest.fixture
def ntu_file(tmp_path):
    """Writes a ``.skeleton`` file into ``tmp_path/ntu``."""

    def write(frames, name='S001C002P003R002A013', newline='\n', **options):
        path = tmp_path / 'ntu' / f'{name}.skeleton'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(ntu_text(frames, newline, **options).encode())
        return path

    return write


@pytest.fixture
def body():
    """A body of (25, 3) joints with seven significant digits, as the files hold them."""

    def make(seed, scale=1.0):
        xyz = np.random.default_rng(seed).normal(size=(25, 3)) * scale
        return np.array([[float(f'{value:.7g}') for value in row] for row in xyz])

    return make
