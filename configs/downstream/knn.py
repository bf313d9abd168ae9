# 1-NN of a pre-training checkpoint, each stream and all together; every pre-training config tests so.
#   I2MD_CONFIG=i2md_ntu60 mim test mmaction2 configs/downstream/knn.py --checkpoint FILE
# Another k: --cfg-options test_evaluator.k=5
_base_ = '../{{$I2MD_CONFIG:cmd_ntu60}}.py'

work_dir = './work_dirs/knn_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
test_evaluator = dict(k=1)
