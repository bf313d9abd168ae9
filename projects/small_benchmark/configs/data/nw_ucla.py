# 1,020 sequences to pre-train on, 102 of a class.
_base_ = '../../../../configs/_base_/datasets/nw_ucla_xview.py'

#: What is as large as the data set, of methods that have it.
sized = dict(distillation=dict(topk=512), num_neighbors=16)
