"""Pickles as data: read without running any code that they name."""

import os
import pickle
from typing import Any

_PICKLE_GLOBALS = {
    ('__builtin__', 'bytes'),
    ('_codecs', 'encode'),
    ('numpy', 'dtype'),
    ('numpy', 'ndarray'),
    *(
        (f'numpy.{core}.multiarray', name)
        for core in ('core', '_core')
        for name in ('_reconstruct', 'scalar')
    ),
    *((f'numpy.{core}.numeric', '_frombuffer') for core in ('core', '_core')),
}


def load_pickle(path: os.PathLike) -> Any:
    """Loads a pickle of plain values and NumPy arrays, and nothing that could run code.

    Raises:
        FileNotFoundError: If the file is not there.
        pickle.UnpicklingError: If the file names any other class or function,
            or is no whole pickle.
    """

    class PlainUnpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in _PICKLE_GLOBALS:
                raise pickle.UnpicklingError(
                    f'holds {module}.{name}, expected plain values and NumPy arrays only. '
                    'Convert it to those first, if you trust where it comes from'
                )
            return super().find_class(module, name)

    with open(path, 'rb') as file:
        try:
            return PlainUnpickler(file).load()
        except Exception as error:  # bytes that are no pickle raise nearly anything
            raise pickle.UnpicklingError(f'{path}: {error or "no whole pickle"}') from error
