_base_ = ['_base_/datasets/pku2_xsub.py', '_base_/methods/crossclr_bigru.py']
