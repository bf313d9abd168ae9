# CMD on NTU RGB+D 60, cross-subject.
_base_ = ['_base_/datasets/ntu60_xsub.py', '_base_/methods/cmd.py']
