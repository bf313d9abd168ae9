"""Readers of the datasets as they are downloaded."""

from .arrays import PRENORMALIZED, convert_arrays
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
    'PRENORMALIZED',
    'Dropped',
    'ReadError',
    'Reading',
    'Sample',
    'Summary',
    'convert',
    'convert_arrays',
    'convert_to_pickle',
    'ntu60',
    'ntu120',
    'pku',
    'read_missing_list',
]
