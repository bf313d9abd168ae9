_base_ = './cmd.py'

# The papers' weights.
model = dict(type='I2MD', num_neighbors=16, imd_weight=1.0, cmd_weight=0.5)
