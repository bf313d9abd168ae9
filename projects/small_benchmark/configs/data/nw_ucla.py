# 1,020 sequences to pre-train on, 102 of a class.
_base_ = '../../../../configs/_base_/datasets/nw_ucla_xview.py'

#: About 2,100 steps of 16 for each data set.
epochs = 34
#: A bank of about half the sequences.
small = dict(bank=dict(size=512))
#: What depends on it, of methods that have it: an eighth of the bank is compared, see README.md.
sized = dict(distillation=dict(topk=64))
