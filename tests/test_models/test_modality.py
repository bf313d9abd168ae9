"""Motion and bone against loops over frames and joints."""

import pytest
import torch

from i2md_mmaction.models.modality import Modality, joint_to_bone, joint_to_motion
from i2md_mmaction.skeletons import get_layout


@pytest.fixture
def joint():
    """Joints (B, M, T, V, C); the second person is absent."""
    joint = torch.randn(2, 2, 5, 25, 3, generator=torch.Generator().manual_seed(0))
    joint[:, 1] = 0
    return joint


def test_joints_stay_as_they_are(joint):
    assert torch.equal(Modality('joint', 'ntu25')(joint), joint)


def test_motion_is_the_way_to_the_next_frame_and_zero_at_last(joint):
    motion = Modality('motion', 'ntu25')(joint)
    for frame in range(4):
        assert torch.equal(motion[:, :, frame], joint[:, :, frame + 1] - joint[:, :, frame])
    assert motion.shape == joint.shape and not motion[:, :, -1].any()


def test_the_motion_of_a_single_frame_is_zero(joint):
    assert torch.equal(joint_to_motion(joint[:, :, :1]), torch.zeros(2, 2, 1, 25, 3))


@pytest.mark.parametrize('name', ['ntu25', 'kinect20', 'coco17', 'openpose18'])
def test_a_bone_is_the_way_from_the_parent_and_zero_at_the_root(name):
    layout = get_layout(name)
    joint = torch.randn(2, 1, 3, layout.num_joints, 3)
    bone = Modality('bone', name)(joint)
    for child, parent in layout.edges:
        assert torch.equal(bone[..., child, :], joint[..., child, :] - joint[..., parent, :])
    assert not bone[..., layout.root, :].any()


def test_the_bones_of_a_chain_add_up_to_its_joints():
    bone = joint_to_bone(torch.tensor([[[1.0], [3.0], [10.0]]]), torch.tensor([0, 0, 1]))
    assert bone.flatten().tolist() == [0, 2, 7]


@pytest.mark.parametrize('name', ['joint', 'motion', 'bone'])
def test_an_absent_person_stays_zero_and_the_input_untouched(name, joint):
    before = joint.clone()
    assert not Modality(name, 'ntu25')(joint)[:, 1].any()
    assert torch.equal(joint, before)


def test_a_modality_adds_nothing_to_the_checkpoint():
    assert not Modality('bone', 'ntu25').state_dict()


def test_an_unknown_modality_is_refused():
    with pytest.raises(ValueError, match="unknown modality 'velocity'"):
        Modality('velocity', 'ntu25')
