_base_ = ['_base_/datasets/ntu120_xset.py', '_base_/methods/crossclr_bigru.py']
