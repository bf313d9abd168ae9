"""mmaction2's ``tools/train.py``, with this package made known first.

``mim train i2md_mmaction CONFIG`` runs it. Configs may then inherit from ours by name,
``_base_ = 'i2md_mmaction::i2md_ntu60.py'``, which MMEngine resolves before ``custom_imports``.
"""

import runpy
from pathlib import Path

import mmaction

import i2md_mmaction  # noqa: F401

if __name__ == '__main__':
    runpy.run_path(str(Path(mmaction.__file__).with_name('.mim') / 'tools' / 'train.py'), run_name='__main__')
