"""Readers of the datasets as they are downloaded."""

from .conversion import Summary, convert, convert_to_pickle
from .ntu import NTU, ntu60, ntu120
from .nwucla import NWUCLA
from .pku import PKU, pku
from .samples import Dropped, ReadError, Reading, Sample
from .splits import read_missing_list

__all__ = [
    'NTU',
    'NWUCLA',
    'PKU',
    'Dropped',
    'ReadError',
    'Reading',
    'Sample',
    'Summary',
    'convert',
    'convert_to_pickle',
    'ntu60',
    'ntu120',
    'pku',
    'read_missing_list',
]
