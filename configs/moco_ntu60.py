_base_ = ['_base_/datasets/ntu60_xsub.py', '_base_/methods/moco.py']
