# The demo data as filmed: tools/make_demo_data.py --layout coco17.
_base_ = './ntu60_2d_xsub.py'

_loader = dict(
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    dataset=dict(name='demo_2d', ann_file='data/demo/coco17_demo.pkl', num_classes=10),
)
train_dataloader = _loader
val_dataloader = _loader
test_dataloader = _loader
# 270 sequences.
fitted = dict(bank=dict(size=256))
small = fitted
del _loader
