from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from parts.ctc import fits, own_label_ctc, read_labels
from parts.language_model import load_tokenizer
from parts.spelling import Spelling, cheapest_split, learn_spelling, spoken_words
from parts.word_errors import word_error_rate
from tests.parts.tiny import write_gguf


def test_own_label_ctc_equals_the_full_width_in_value_and_gradient():
    torch.manual_seed(0)
    scores = torch.randn(3, 20, 50, requires_grad=True)
    lengths, targets = torch.tensor([20, 15, 9]), [[1, 2, 2, 40], [7, 7, 3], [5]]
    own = own_label_ctc(scores, lengths, targets)
    flat = torch.tensor([label for target in targets for label in target])
    full = F.ctc_loss(scores.log_softmax(-1).transpose(0, 1), flat, lengths, torch.tensor([4, 3, 1]), reduction="sum")
    torch.testing.assert_close(own, full)
    gradients = [torch.autograd.grad(loss, scores)[0] for loss in (own, full)]
    torch.testing.assert_close(*gradients, atol=2e-5, rtol=1e-4)


def test_a_repeated_label_needs_a_blank_between():
    assert fits([1, 2], 2)
    assert not fits([1, 1], 2)
    assert not fits([], 5)


def test_labels_are_read_without_repeats_and_blanks():
    assert read_labels([0, 3, 3, 0, 3, 5, 5, 0]) == [3, 3, 5]


def test_frequent_words_are_whole_and_rare_ones_are_spelt(tmp_path: Path):
    tokenizer = load_tokenizer(write_gguf(tmp_path / "tiny.gguf"))
    spelling = learn_spelling(["the cat sat on the mat"] * 5 + ["a rare mat's zebra"], tokenizer, 3)
    assert spelling.text(spelling.classes("The zebra sat, on the mat's")) == "the zebra sat on the mat's"
    assert len(spelling.classes("the cat")) == 2
    assert len(spelling.classes("zebra")) >= 5
    path = tmp_path / "spelling.json"
    spelling.save(path)
    assert Spelling.load(path).classes("zebra cat") == spelling.classes("zebra cat")


def test_a_word_is_cut_where_it_costs_least():
    costs = {" a": 1.0, "b": 1.0, " ab": 1.5, "c": 1.0, "bc": 0.2}
    assert cheapest_split(" abc", costs) == [" a", "bc"]
    with pytest.raises(ValueError, match="no piece"):
        cheapest_split(" ax", costs)


def test_words_and_their_errors():
    assert spoken_words("It's 'fine', O'Neil — ok!") == ["it's", "fine", "o'neil", "ok"]
    assert word_error_rate(["the cat sat"], ["The cat sat."]) == 0
    assert word_error_rate(["the cat sat", "a mat"], ["the bat sat down", ""]) == pytest.approx(80)
