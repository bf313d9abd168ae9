_base_ = ['_base_/datasets/ntu120_xsub.py', '_base_/methods/mcl.py']
