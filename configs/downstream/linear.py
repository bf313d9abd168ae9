# Linear evaluation of CMD and I2MD: a frozen encoder in eval mode, SGD without weight decay.
_base_ = '../_base_/downstream/classifier.py'

model = dict(freeze=True)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0),
)
