# Northwestern-UCLA, UTD-MHAD and MSR-Action3D, which have the same joints, pre-trained on together and
# watched on Northwestern-UCLA.
_base_ = './nw_ucla_xview.py'

_part = _base_.train_dataloader.dataset
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            _part,
            dict(
                _part,
                name='utd_mhad',
                ann_file=f'{_base_.data_root}/utd_mhad.pkl',
                num_classes=27,
                split='xsub_train',
            ),
            dict(
                _part,
                name='msr_action3d',
                ann_file=f'{_base_.data_root}/msr_action3d.pkl',
                num_classes=20,
                split='xsub_train',
            ),
        ],
    )
)
del _part
