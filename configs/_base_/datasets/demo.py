# The labelled demo data of tools/make_demo_data.py, in NTU-25's layout.
_base_ = './ntu60_xsub.py'

# Small enough to be read in the training process; two cores are better left to the training.
_loader = dict(
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    dataset=dict(name='demo', ann_file='data/demo/ntu25_demo.pkl', num_classes=10),
)
train_dataloader = _loader
val_dataloader = _loader
test_dataloader = _loader
del _loader

# Half the frames and gentler poses than the papers', for a CPU. Ours.
small_views = dict(
    train_views=[
        [
            dict(type='TemporalCropResize', num_frames=32, ratio=(0.5, 1.0), min_frames=16),
            dict(
                type='OneOfAugmentations',
                transforms=[dict(type='Shear', amplitude=0.5), dict(type='JointCorruption', num_joints=8)],
            ),
        ]
    ]
    * 2,
    test_view=[dict(type='TemporalCenterResize', num_frames=32)],
)
