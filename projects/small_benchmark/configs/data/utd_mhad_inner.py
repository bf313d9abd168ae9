# UTD-MHAD's training subjects apart: $INNER_FOLD is the one to test on, fold1 to fold4, and the other three
# are trained on. `inner_split.py` makes the file. Settings are chosen here.
_base_ = './utd_mhad.py'

epochs = 100
small = dict(bank=dict(size=128))
sized = dict(distillation=dict(topk=16))
_fold = __import__('os').environ.get('INNER_FOLD', 'fold1')
_dataset = dict(ann_file='work_dirs/small_benchmark/utd_mhad_inner.pkl')
train_dataloader = dict(dataset=dict(split=f'{_fold}_train', **_dataset))
val_dataloader = dict(dataset=dict(split=f'{_fold}_val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split=f'{_fold}_train'))
test_cfg = val_cfg
del _fold, _dataset
