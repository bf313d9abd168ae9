_base_ = '../../../../configs/_base_/methods/skeletonclr_small.py'
