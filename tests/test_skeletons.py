"""Skeleton layouts."""

from dataclasses import replace

import pytest
from mmaction.models.utils import Graph

from i2md_mmaction.skeletons import SkeletonLayout, get_layout, register_layout

NAMES = ('ntu25', 'kinect20', 'openni15', 'coco17', 'openpose18')


def tiny(**changes):
    """A chain of three joints, root in the middle."""
    layout = dict(
        name='tiny',
        joints=('left', 'middle', 'right'),
        edges=((0, 1), (2, 1)),
        center=1,
        origin=(1,),
        spine=None,
        shoulders=((2,), (0,)),
        pairs=((0, 2),),
    )
    return SkeletonLayout(**{**layout, **changes})


@pytest.mark.parametrize('name', NAMES)
def test_every_joint_reaches_the_root_by_its_parents(name):
    layout = get_layout(name)
    for joint in range(layout.num_joints):
        steps = 0
        while joint != layout.root:
            joint, steps = layout.parents[joint], steps + 1
            assert steps < layout.num_joints
    assert layout.parents[layout.root] == layout.root


@pytest.mark.parametrize('name', NAMES)
def test_ordered_edges_are_the_edges_with_each_parent_before_its_children(name):
    layout = get_layout(name)
    placed = {layout.root}
    for child, parent in layout.ordered_edges():
        assert parent in placed and child not in placed
        placed.add(child)
    assert set(layout.ordered_edges()) == set(layout.edges)


@pytest.mark.parametrize('name', NAMES)
def test_mirror_swaps_exactly_the_joints_named_left_and_right(name):
    layout = get_layout(name)
    swap = {'left': 'right', 'right': 'left'}
    for joint, other in zip(layout.joints, layout.mirror):
        side, _, rest = joint.partition('_')
        assert layout.joints[other] == (f'{swap[side]}_{rest}' if side in swap else joint)


@pytest.mark.parametrize('name', NAMES)
def test_the_bones_are_the_same_on_both_sides(name):
    layout = get_layout(name)
    assert {(layout.mirror[a], layout.mirror[b]) for a, b in layout.edges} == set(layout.edges)


@pytest.mark.parametrize('name', NAMES)
def test_the_shoulders_are_the_joints_of_that_name(name):
    layout = get_layout(name)
    ((one,), (other,)) = layout.shoulders
    assert {layout.joints[one], layout.joints[other]} == {'right_shoulder', 'left_shoulder'}


@pytest.mark.parametrize('name, theirs', [('coco17', 'coco'), ('openpose18', 'openpose')])
def test_edges_and_centre_agree_with_mmaction2(name, theirs):
    layout, graph = get_layout(name), Graph(layout=theirs)
    assert set(layout.edges) == set(graph.inward)
    assert (layout.num_joints, layout.center) == (graph.num_node, graph.center)


def test_ntu25_differs_from_mmaction2_only_at_the_finger_tips():
    layout, graph = get_layout('ntu25'), Graph(layout='nturgb+d')
    assert set(layout.edges) ^ set(graph.inward) == {(21, 22), (21, 7), (23, 24), (23, 11)}
    assert layout.center == graph.center


@pytest.mark.parametrize('name', NAMES)
def test_mmaction2_makes_a_graph_of_the_layout(name):
    layout = get_layout(name)
    graph = Graph(layout=layout.graph_layout(), mode='binary_adj')
    connected = {tuple(pair) for pair in zip(*graph.A[0].nonzero())}
    assert connected == {pair for edge in layout.edges for pair in (edge, edge[::-1])}


def test_an_unknown_layout_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="^unknown skeleton layout 'ntu26'.*ntu25.*register_layout"):
        get_layout('ntu26')


def test_a_joint_beyond_the_table_is_refused():
    with pytest.raises(ValueError, match="'tiny' has 3 joints but names joint 3"):
        tiny(pairs=((0, 3),))


def test_two_parents_of_a_joint_are_refused():
    with pytest.raises(ValueError, match='exactly one parent'):
        tiny(edges=((0, 1), (0, 2)))


def test_a_joint_without_any_parent_beside_the_root_is_refused():
    with pytest.raises(ValueError, match='got 1 edges for 3 joints'):
        tiny(edges=((0, 1),))


def test_a_ring_apart_from_the_root_is_refused():
    with pytest.raises(ValueError, match='not connected to the root'):
        tiny(edges=((0, 2), (2, 0)))


def test_a_registered_layout_is_found_and_its_name_not_given_twice(monkeypatch):
    monkeypatch.setattr('i2md_mmaction.skeletons._LAYOUTS', {})
    layout = register_layout(tiny())
    assert get_layout('tiny') is layout
    register_layout(tiny())  # the same again does no harm
    with pytest.raises(ValueError, match="already registered as 'tiny'"):
        register_layout(replace(layout, center=0))
