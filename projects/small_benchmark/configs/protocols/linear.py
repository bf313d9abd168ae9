_base_ = '../../../../configs/downstream/linear.py'
