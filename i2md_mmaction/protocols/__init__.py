"""The papers' protocols on a checkpoint: what there is, how it runs, what is reported."""

from .comparison import compare_reports
from .configs import downstream_config
from .evaluation import Evaluation, Unit
from .report import report_evaluation, summarize, write_report
from .summary import summarize_reports
from .table import PROTOCOLS, Protocol, find_protocol

__all__ = [
    'PROTOCOLS',
    'Evaluation',
    'Protocol',
    'Unit',
    'compare_reports',
    'downstream_config',
    'find_protocol',
    'report_evaluation',
    'summarize',
    'summarize_reports',
    'write_report',
]
