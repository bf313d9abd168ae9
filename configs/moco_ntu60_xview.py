_base_ = ['_base_/datasets/ntu60_xview.py', '_base_/methods/moco.py']
