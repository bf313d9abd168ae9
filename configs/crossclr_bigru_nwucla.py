# CrosSCLR-B at full size on Northwestern-UCLA, for a GPU; crossclr_bigru_nwucla_small.py is for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/crossclr_bigru.py']

model = _base_.fitted
