"""mmaction2's ``tools/test.py``, with this package made known first.

``mim test i2md_mmaction CONFIG --checkpoint FILE`` runs it. Configs may then inherit from ours by name,
``_base_ = 'i2md_mmaction::i2md_ntu60.py'``, which MMEngine resolves before ``custom_imports``.
"""

import runpy
from pathlib import Path

import mmaction

import i2md_mmaction  # noqa: F401

if __name__ == '__main__':
    runpy.run_path(str(Path(mmaction.__file__).with_name('.mim') / 'tools' / 'test.py'), run_name='__main__')
