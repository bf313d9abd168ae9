_base_ = '../../../../configs/downstream/semi_10.py'
