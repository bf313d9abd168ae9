"""The losses against nested loops over Python's floats, written from the equations."""

from math import exp, log

import pytest
import torch
from torch.autograd import gradcheck

from i2md_mmaction.models import InfoNCELoss, MutualDistillationLoss

SIZES = [(1, 1), (1, 9), (4, 2), (5, 33)]


def similarities(*shape, seed=0, dtype=torch.float64):
    """Cosines as a training has them, of either sign."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1).to(dtype)


def slow_info_nce(positive, negatives, temperature):
    """I2MD, equation 1, averaged over the batch."""
    total = 0.0
    for row, own in enumerate(positive.tolist()):
        denominator = exp(own / temperature)
        for similarity in negatives[row].tolist():
            denominator += exp(similarity / temperature)
        total -= log(exp(own / temperature) / denominator)
    return total / len(positive)


def slow_distillation(teacher, student, teacher_temperature, student_temperature, topk):
    """I2MD, equations 2 and 3: KL from teacher to student over the teacher's nearest rows."""
    total = 0.0
    for own, other in zip(teacher.tolist(), student.tolist()):
        anchors = sorted(range(len(own)), key=lambda index: -own[index])[:topk]
        p = [exp(own[index] / teacher_temperature) for index in anchors]
        q = [exp(other[index] / student_temperature) for index in anchors]
        for one, two in zip(p, q):
            total += one / sum(p) * log((one / sum(p)) / (two / sum(q)))
    return total / len(teacher)


@pytest.mark.parametrize('batch, rows', SIZES)
@pytest.mark.parametrize('temperature', [0.07, 0.2, 1.0])
def test_info_nce_is_equation_1(batch, rows, temperature):
    positive, negatives = similarities(batch, seed=1), similarities(batch, rows, seed=2)
    expected = slow_info_nce(positive, negatives, temperature)
    assert InfoNCELoss(temperature)(positive, negatives).item() == pytest.approx(expected, abs=1e-6)


def test_info_nce_of_a_case_by_hand():
    # One query as near to its key as to both rows of the bank: one out of three.
    loss = InfoNCELoss()(torch.tensor([0.5]), torch.tensor([[0.5, 0.5]]))
    assert loss.item() == pytest.approx(log(3), abs=1e-6)


def test_info_nce_keeps_its_value_where_exponentials_overflow():
    loss = InfoNCELoss(temperature=0.001)(torch.tensor([0.5]), torch.tensor([[1.0, -1.0]]))
    assert loss.item() == pytest.approx(500, rel=1e-6)


@pytest.mark.parametrize('batch, rows', SIZES)
@pytest.mark.parametrize('teacher_temperature, student_temperature', [(0.05, 0.1), (0.1, 0.1), (0.5, 0.3)])
@pytest.mark.parametrize('share', [0.3, 1.0])
def test_distillation_is_equations_2_and_3(batch, rows, teacher_temperature, student_temperature, share):
    topk = max(1, int(share * rows))
    teacher, student = similarities(batch, rows, seed=1), similarities(batch, rows, seed=2)
    loss = MutualDistillationLoss(teacher_temperature, student_temperature, topk)
    expected = slow_distillation(teacher, student, teacher_temperature, student_temperature, topk)
    assert loss(teacher, student).item() == pytest.approx(expected, abs=1e-6)


def test_distillation_of_a_case_by_hand():
    # Teacher 3/4 to 1/4, student even: 3/4 log(3/2) + 1/4 log(1/2).
    teacher, student = torch.tensor([[log(3), 0.0, -5.0]]), torch.tensor([[2.0, 2.0, 9.0]])
    loss = MutualDistillationLoss(teacher_temperature=1, student_temperature=1, topk=2)
    assert loss(teacher, student).item() == pytest.approx(0.75 * log(1.5) + 0.25 * log(0.5), abs=1e-6)


def test_a_student_that_agrees_has_nothing_to_learn():
    similarity = similarities(4, 20).requires_grad_()
    loss = MutualDistillationLoss(teacher_temperature=0.1, student_temperature=0.1, topk=7)
    value = loss(similarity, similarity)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert similarity.grad.abs().max() < 1e-12


def test_selecting_anchors_once_gives_every_student_what_the_whole_loss_gives():
    loss = MutualDistillationLoss(topk=8)
    teacher = similarities(4, 20)
    anchors = loss.anchors(teacher)
    for seed in (1, 2):
        student = similarities(4, 20, seed=seed)
        assert loss.distill(anchors, student).item() == pytest.approx(loss(teacher, student).item())


@pytest.mark.parametrize('batch, rows', SIZES)
def test_a_sharp_teacher_over_all_rows_is_mutual_positive_mining(batch, rows):
    # I2MD, equation 6: the student's InfoNCE over the bank, its positive the teacher's nearest row.
    teacher, student = similarities(batch, rows, seed=3), similarities(batch, rows, seed=4)
    expected = 0.0
    for own, other in zip(teacher.tolist(), student.tolist()):
        mined = other[own.index(max(own))]
        expected -= log(exp(mined / 0.1) / sum(exp(similarity / 0.1) for similarity in other))
    loss = MutualDistillationLoss(teacher_temperature=1e-7, student_temperature=0.1, topk=rows)
    assert loss(teacher, student).item() == pytest.approx(expected / batch, abs=1e-6)


@pytest.mark.parametrize('topk', [4, 9])
def test_gradients_of_distillation_are_those_of_finite_differences(topk):
    loss = MutualDistillationLoss(topk=topk)
    anchors = loss.anchors(similarities(3, 9, seed=1))
    student = similarities(3, 9, seed=2).requires_grad_()
    assert gradcheck(lambda similarity: loss.distill(anchors, similarity), student)


def test_gradients_of_info_nce_are_those_of_finite_differences():
    inputs = similarities(3, seed=1).requires_grad_(), similarities(3, 9, seed=2).requires_grad_()
    assert gradcheck(InfoNCELoss(), inputs)


@pytest.mark.parametrize('topk', [4, 9])
def test_teacher_gets_no_gradient(topk):
    teacher, student = similarities(3, 9).requires_grad_(), similarities(3, 9, seed=1).requires_grad_()
    MutualDistillationLoss(topk=topk)(teacher, student).backward()
    assert teacher.grad is None and student.grad.any()


def test_only_the_anchors_of_the_student_get_a_gradient():
    teacher, student = similarities(3, 9), similarities(3, 9, seed=1).requires_grad_()
    MutualDistillationLoss(topk=4)(teacher, student).backward()
    nearest = [sorted(range(9), key=lambda index: -row[index])[:4] for row in teacher.tolist()]
    assert [set(row.nonzero().flatten().tolist()) for row in student.grad] == [set(row) for row in nearest]


def test_more_anchors_than_the_bank_has_rows_are_refused():
    with pytest.raises(ValueError, match='topk=10 exceeds the 9 rows of the bank; lower it'):
        MutualDistillationLoss(topk=10)(similarities(3, 9), similarities(3, 9))


def test_the_numbers_of_the_papers_are_the_defaults():
    distillation = MutualDistillationLoss()
    assert (distillation.teacher_temperature, distillation.student_temperature) == (0.05, 0.1)
    assert (distillation.topk, InfoNCELoss().temperature) == (8192, 0.07)
