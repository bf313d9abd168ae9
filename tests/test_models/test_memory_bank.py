"""The memory bank against a list from which the oldest row falls out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmaction.registry import MODELS

from i2md_mmaction.models import MemoryBank


def numbered(start, count, dim=2):
    """Rows (count, dim) that hold their own number."""
    return torch.arange(start, start + count, dtype=torch.float32)[:, None].expand(-1, dim)


def numbers(entry):
    return entry[:, 0].tolist()


@given(size=st.integers(1, 12), batches=st.lists(st.integers(1, 30), max_size=8))
def test_the_bank_holds_the_newest_rows_whatever_the_batches(size, batches):
    bank, seen = MemoryBank(size, dict(key=2)), 0
    for batch in batches:
        bank.enqueue(key=numbered(seen, batch))
        seen += batch
        # Sample i belongs into row i modulo the size.
        for sample in range(max(0, seen - size), seen):
            assert bank['key'][sample % size].tolist() == [sample, sample]
        assert int(bank.filled) == min(seen, size) and int(bank.pointer) == seen % size


def test_a_batch_that_crosses_the_end_keeps_every_row():
    bank = MemoryBank(5, dict(key=2))
    bank.enqueue(key=numbered(0, 3))
    bank.enqueue(key=numbered(3, 4))
    assert numbers(bank['key']) == [5, 6, 2, 3, 4]


def test_of_a_batch_larger_than_the_bank_the_last_rows_stay():
    bank = MemoryBank(3, dict(key=2))
    bank.enqueue(key=numbered(0, 1))
    bank.enqueue(key=numbered(1, 7))
    assert sorted(numbers(bank['key'])) == [5, 6, 7]
    bank.enqueue(key=numbered(8, 1))
    assert sorted(numbers(bank['key'])) == [6, 7, 8]


@given(batches=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_row_is_the_same_sample_in_all_entries(batches):
    bank, seen = MemoryBank(7, dict(key=2, cluster_key=3, hidden=5)), 0
    for batch in batches:
        bank.enqueue(
            key=numbered(seen, batch),
            cluster_key=numbered(seen, batch, 3) + 100,
            hidden=numbered(seen, batch, 5) + 1000,
        )
        seen += batch
    for row in range(int(bank.filled)):
        sample = bank['key'][row, 0]
        assert bank['cluster_key'][row].tolist() == [sample + 100] * 3
        assert bank['hidden'][row].tolist() == [sample + 1000] * 5


def test_rows_start_as_random_unit_vectors():
    bank = MemoryBank(200, dict(key=16))
    torch.testing.assert_close(bank['key'].norm(dim=1), torch.ones(200))
    cosines = bank['key'] @ bank['key'].T
    assert cosines[~torch.eye(200, dtype=torch.bool)].abs().mean() < 0.3


def test_nearest_finds_the_most_similar_rows_in_order():
    bank = MemoryBank(5, dict(key=2))
    bank.enqueue(key=numbered(0, 5))
    index, found = bank.nearest(torch.tensor([[0.1, 0.9, -1.0, 0.5, 0.7], [5.0, 4, 3, 2, 1]]), 3)
    assert index.tolist() == [[1, 4, 3], [0, 1, 2]] and found.all()


@given(size=st.integers(1, 12), rows=st.integers(0, 12), k=st.integers(1, 12))
def test_nearest_never_returns_unfilled_rows(size, rows, k):
    bank, k = MemoryBank(size, dict(key=2)), min(k, size)
    if rows:
        bank.enqueue(key=numbered(0, rows))
    filled = min(rows, size)
    # The unfilled rows look the most similar.
    index, found = bank.nearest(torch.arange(size).float().expand(3, -1), k)
    assert index.shape == found.shape == (3, k)
    assert (index[found] < filled).all()
    assert found.sum(dim=1).tolist() == [min(k, filled)] * 3
    assert found.tolist() == found.sort(dim=1, descending=True, stable=True).values.tolist()


@given(rows=st.integers(0, 9), k=st.integers(1, 9), seed=st.integers(0, 1000))
def test_the_mask_of_the_nearest_marks_the_rows_that_nearest_finds(rows, k, seed):
    bank = MemoryBank(9, dict(key=2))
    if rows:
        bank.enqueue(key=numbered(0, rows))
    similarity = torch.randn(4, 9, generator=torch.Generator().manual_seed(seed))
    for row, mask in zip(similarity.tolist(), bank.nearest_mask(similarity, k).tolist()):
        nearest = sorted(range(rows), key=lambda index: -row[index])[:k]
        assert {index for index, marked in enumerate(mask) if marked} == set(nearest)


def test_the_state_dict_brings_back_rows_pointer_and_filling():
    bank, copy = (MemoryBank(5, dict(key=2, hidden=3)) for _ in range(2))
    bank.enqueue(key=numbered(0, 3), hidden=numbered(0, 3, 3))
    copy.load_state_dict(bank.state_dict())
    for kept in (bank, copy):
        kept.enqueue(key=numbered(3, 4), hidden=numbered(3, 4, 3))
    assert set(bank.state_dict()) == {'key', 'hidden', 'pointer', 'filled'}
    for name, value in bank.state_dict().items():
        assert torch.equal(copy.state_dict()[name], value)


def test_what_is_enqueued_is_copied_and_without_gradient():
    bank, rows = MemoryBank(4, dict(key=2)), torch.ones(2, 2, requires_grad=True)
    bank.enqueue(key=rows)
    with torch.no_grad():
        rows.zero_()
    assert bank['key'][:2].tolist() == [[1, 1], [1, 1]] and not bank['key'].requires_grad


def test_half_precision_rows_are_stored_as_the_bank_has_them():
    bank = MemoryBank(4, dict(key=2))
    bank.enqueue(key=numbered(1, 2).bfloat16())
    assert bank['key'].dtype == torch.float32 and numbers(bank['key'])[:2] == [1, 2]


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_row_that_is_not_finite_enters_no_entry(value):
    bank = MemoryBank(4, dict(key=2, hidden=3))
    before = {name: bank[name].clone() for name in bank.dims}
    batch = dict(key=numbered(1, 3), hidden=torch.ones(3, 3))
    batch['hidden'][1, 2] = value
    bank.enqueue(**batch)
    for name, rows in batch.items():
        assert torch.equal(bank[name][[0, 2]], rows[[0, 2]])
        assert torch.equal(bank[name][[1, 3]], before[name][[1, 3]])
    assert int(bank.pointer) == int(bank.filled) == 3


def test_everything_is_a_buffer_that_moves_with_the_module():
    bank = MemoryBank(4, dict(key=2)).to('meta')
    bank.enqueue(key=torch.ones(3, 2, device='meta'))
    index, found = bank.nearest(torch.ones(3, 4, device='meta'), 2)
    assert {tensor.device.type for tensor in (bank['key'], bank.pointer, bank.filled, index, found)} == {
        'meta'
    }


@pytest.mark.parametrize('entries', [dict(key=1), dict(key=1, hidden=1, other=1), dict(key=1, other=1)])
def test_missing_or_unknown_entries_are_refused(entries):
    bank = MemoryBank(4, dict(key=2, hidden=2))
    with pytest.raises(ValueError, match=r"exactly the entries \['hidden', 'key'\], got"):
        bank.enqueue(**{name: numbered(0, rows) for name, rows in entries.items()})


def test_entries_of_different_batches_are_refused():
    bank = MemoryBank(4, dict(key=2, hidden=2))
    with pytest.raises(ValueError, match="same number of rows, got {'key': 2, 'hidden': 3}"):
        bank.enqueue(key=numbered(0, 2), hidden=numbered(0, 3))
    assert int(bank.filled) == 0


def test_an_unknown_entry_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match=r"no entry 'value'; it has \['key'\]"):
        MemoryBank(4, dict(key=2))['value']


def test_a_bank_without_rows_is_refused():
    with pytest.raises(ValueError, match='positive size, got 0'):
        MODELS.build(dict(type='MemoryBank', size=0))


def test_the_numbers_of_the_papers_are_the_defaults():
    assert MemoryBank()['key'].shape == (16384, 128)
