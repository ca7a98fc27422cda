"""The default adaptor: Whisper's decoder as published, a draft read with it, and the vectors that come of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import WhisperConfig, WhisperModel

from parts.language_model import ChatTokenizer, load_language_model, load_tokenizer
from parts.second_look import Reading, Sampled, SecondLook, SecondLookSettings
from parts.shared_spelling import SharedSpelling, learn_shared_spelling, whisper_tokenizer
from parts.stack_conv_ctc import StackConvCtcSettings
from parts.whisper_decoder import load_whisper_decoder
from tests.parts.tiny import WORDS, write_gguf, write_whisper, write_whisper_tokens

TEXTS = ["the cat sat on a mat", "the cat ran", "a mat and the cat", "I ran"] * 3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """(Whisper's folder, its tokens, the LLM)"""
    folder = tmp_path_factory.mktemp("tiny")
    llm = write_gguf(folder / "llm.gguf")
    return write_whisper(folder / "whisper"), write_whisper_tokens(folder / "tokenizer.json", llm), llm


@pytest.fixture(scope="module")
def spelling(files: tuple[Path, Path, Path]) -> SharedSpelling:
    _, tokens, llm = files
    return learn_shared_spelling(TEXTS, whisper_tokenizer(tokens), load_tokenizer(llm), least_count=6)


@pytest.fixture
def adaptor(files: tuple[Path, Path, Path], spelling: SharedSpelling) -> SecondLook:
    torch.manual_seed(0)
    draft = StackConvCtcSettings(64, 2, 64, 64, blocks=1, wide=32, heads=2)
    settings = SecondLookSettings(draft, wide=32, heads=2, blocks=1, longest_draft=20, prefix=(1, 2))
    table = load_language_model(files[2]).get_input_embeddings().weight
    return SecondLook(settings, load_whisper_decoder(files[0]), spelling, table).eval()


def test_the_decoder_is_that_of_transformers(tmp_path: Path):
    torch.manual_seed(0)
    widths = {"d_model": 64, "encoder_attention_heads": 1, "decoder_attention_heads": 1, "decoder_ffn_dim": 96}
    counts = {"encoder_layers": 1, "decoder_layers": 2, "vocab_size": 50, "max_target_positions": 20}
    published = WhisperModel(WhisperConfig(**widths, **counts, pad_token_id=0)).eval()
    published.save_pretrained(tmp_path)
    ids, frames = torch.randint(0, 50, (2, 7)), torch.randn(2, 9, 64)
    with torch.no_grad():
        expected = published.decoder(input_ids=ids, encoder_hidden_states=frames).last_hidden_state
        given = load_whisper_decoder(tmp_path)(ids, frames, torch.tensor([9, 9]))
    assert (given - expected).abs().max() < 1e-5 * expected.abs().max()


def test_whispers_tokens_get_back_the_merge_that_files_lack(files: tuple[Path, Path, Path], tmp_path: Path):
    whole = files[1].read_text(encoding="utf-8")
    without = tmp_path / "tokenizer.json"
    without.write_text(whole.replace('["Ġ","t"],', "").replace('[\n        "Ġ",\n        "t"\n      ],', ""))
    assert without.read_text() != whole
    read = whisper_tokenizer(without)
    assert read.ids(" the") == whisper_tokenizer(files[1]).ids(" the") and len(read.ids(" the")) == 1


def test_words_are_cut_as_whisper_cuts_them_and_rare_ones_spelt_in_the_draft(spelling: SharedSpelling):
    labels = spelling.classes("the cat sat")
    assert [spelling.pieces[label - 1] for label in labels] == [" the", " cat", " sat"]
    assert spelling.text(labels) == "the cat sat"
    drafted = spelling.draft_classes("the cat sat")
    # "sat" is seen three times, and needs six.
    assert spelling.draft_text(drafted) == "the cat sat" and len(drafted) == 2 + len("sat")
    assert spelling.text(spelling.classes("zebra")) == "zebra"


def test_spelling_survives_being_written(spelling: SharedSpelling, tmp_path: Path):
    spelling.save(tmp_path / "spelling.json")
    assert SharedSpelling.load(tmp_path / "spelling.json").draft_classes("a mat") == spelling.draft_classes("a mat")


def test_a_clip_is_heard_alike_alone_and_among_others(adaptor: SecondLook):
    frames, lengths = torch.randn(3, 40, 64), torch.tensor([40, 22, 31])
    with torch.no_grad():
        together = adaptor(frames, lengths)
        for row, length in enumerate(lengths.tolist()):
            alone = adaptor(frames[row : row + 1, :length], lengths[row : row + 1])
            heard = int(alone.lengths[0])
            assert heard == int(together.lengths[row]) == length // 2
            assert torch.allclose(alone.classes[0, :heard], together.classes[row, :heard], atol=1e-4)
            assert torch.allclose(alone.blank[0, :heard], together.blank[row, :heard], atol=1e-4)


def test_vectors_are_mixtures_of_the_llms_embeddings(adaptor: SecondLook, files: tuple[Path, Path, Path]):
    table = load_language_model(files[2]).get_input_embeddings().weight
    with torch.no_grad():
        adaptor.bias[3] = 1000.0
        looked = adaptor(torch.randn(1, 30, 64), torch.tensor([30]))
    assert torch.allclose(adaptor.vectors(looked.classes)[0, 0], table[adaptor.spelling.llm[3]], atol=1e-4)


def test_a_frame_that_says_nothing_is_as_likely_as_its_log_odds(adaptor: SecondLook):
    with torch.no_grad():
        looked = adaptor(torch.randn(1, 30, 64), torch.tensor([30]))
    nothing = adaptor.scores(looked).softmax(-1)[..., 0]
    assert torch.allclose(nothing, looked.blank.sigmoid(), atol=1e-5)
    labels = adaptor.labels(looked, 0.0)
    assert torch.equal(labels == 0, looked.blank >= 0)
    assert torch.equal(labels[labels > 0], looked.classes.argmax(-1)[labels > 0] + 1)


def test_nothing_drafted_is_looked_at_all_the_same(adaptor: SecondLook):
    with torch.no_grad():
        adaptor.draft.blank_offset.fill_(-1e6)
        frames, lengths = torch.randn(2, 30, 64), torch.tensor([30, 20])
        reading = adaptor.read_draft(adaptor.draft(frames, lengths))
        looked = adaptor(frames, lengths)
    assert not reading.read.any() and not reading.believed.any()
    assert bool(torch.isfinite(looked.classes).all())


def test_a_draft_is_cut_at_its_longest(adaptor: SecondLook):
    frames, lengths = torch.randn(1, 100, 64), torch.tensor([100])
    with torch.no_grad():
        adaptor.draft.blank_offset.fill_(1e6)
        heard = adaptor.draft(frames, lengths)
        _, kept = adaptor.draft.kept(heard)
        reading = adaptor.read_draft(heard)
    assert int(kept.sum()) > 20
    assert reading.tokens.shape == (1, 20) and int(reading.read[0, -1]) == 20


def test_at_each_frame_it_is_known_how_many_tokens_have_begun(adaptor: SecondLook):
    frames, lengths = torch.randn(2, 40, 64), torch.tensor([40, 31])
    with torch.no_grad():
        heard = adaptor.draft(frames, lengths)
        labels, kept = adaptor.draft.kept(heard)
        reading = adaptor.read_draft(heard)
    for row in range(2):
        begun = 0
        for frame in range(int(heard.lengths[row])):
            if kept[row, frame]:
                assert int(reading.tokens[row, begun]) == int(adaptor.drafted[labels[row, frame] - 1])
                begun += 1
            assert int(reading.read[row, frame]) == begun


def test_sampled_classes_are_scored_as_among_all(adaptor: SecondLook):
    frames, lengths = torch.randn(2, 40, 64), torch.tensor([40, 31])
    classes = torch.tensor([0, 2, 5])
    with torch.no_grad():
        some = adaptor(frames, lengths, Sampled(classes, torch.tensor([0.0, 0.0, 1.5])))
        everything = adaptor(frames, lengths)
    assert torch.allclose(some.blank, everything.blank, atol=1e-5)
    # What is expected is shared among fewer: all classes rise alike, at each frame as far as it trusts expectations.
    rise = some.classes - everything.classes[..., classes] - torch.tensor([0.0, 0.0, 1.5])
    assert torch.allclose(rise, rise[..., :1].expand_as(rise), atol=1e-4)


def test_the_decoder_is_as_published_until_its_additions_are_trained(adaptor: SecondLook, files: tuple[Path, ...]):
    tokens, frames, lengths = torch.tensor([[3, 5, 4]]), torch.randn(1, 9, 64), torch.tensor([9])
    published = load_whisper_decoder(files[0])(torch.tensor([[1, 2, 3, 5, 4]]), frames, lengths)[:, 1:]
    with torch.no_grad():
        assert torch.allclose(adaptor.expectations(tokens, frames, lengths), published, atol=1e-5)
        for change in adaptor.decoder_lora.values():
            change.B.normal_()
        assert not torch.allclose(adaptor.expectations(tokens, frames, lengths), published, atol=0.1)
    assert "decoder.layers.0.encoder_attn.k_proj.A" in adaptor.export_tensors()


def test_nothing_heard_gives_the_llm_one_vector(adaptor: SecondLook):
    adaptor.blank_offset.fill_(-1e6)
    with torch.no_grad():
        read = adaptor.read(adaptor(torch.randn(2, 40, 64), torch.tensor([40, 31])))
    assert [vectors.shape for vectors in read] == [(1, 32), (1, 32)]


def test_a_second_answer_is_that_to_the_first(adaptor: SecondLook):
    frames, lengths = torch.randn(2, 40, 64), torch.tensor([40, 31])
    with torch.no_grad():
        heard = adaptor.draft(frames, lengths)
        once = adaptor.look(frames, lengths, heard, adaptor.read_draft(heard))
        twice = adaptor.look(frames, lengths, heard, adaptor.read_look(once))
        looked = adaptor(frames, lengths)
    assert torch.allclose(looked.classes, twice.classes, atol=1e-5)
    assert not torch.allclose(once.classes, twice.classes, atol=1e-3)


def test_a_look_trains_itself_and_the_additions_to_the_decoder_and_never_its_draft(adaptor: SecondLook):
    adaptor.train()
    looked = adaptor(torch.randn(2, 40, 64), torch.tensor([40, 40]))
    adaptor.scores(looked).logsumexp(-1).sum().backward()
    assert adaptor.out.weight.grad is not None and adaptor.draft.stack.weight.grad is None
    first = adaptor.decoder_lora["layers/0/self_attn/q_proj"].B.grad
    assert first is not None and bool(first.any())
    assert all(parameter.grad is None for parameter in adaptor.decoder.parameters())
    assert not any(name.startswith("_decoder") or "embed_tokens" in name for name in adaptor.state_dict())


def test_before_any_training_a_look_says_what_the_draft_says(adaptor: SecondLook):
    frames, lengths = torch.randn(1, 60, 64), torch.tensor([60])
    with torch.no_grad():
        # A decoder of random weights expects anything at all, and random vectors lie far from all tokens.
        adaptor.trust.bias.fill_(-20.0)
        adaptor.out.weight.zero_()
        adaptor.out.bias.zero_()
        heard = adaptor.draft(frames, lengths)
        looked = adaptor.look(frames, lengths, heard, adaptor.read_draft(heard))
        drafted = torch.tensor(adaptor.spelling.frequent) - 1
        assert torch.equal(looked.classes[..., drafted].argmax(-1), adaptor.draft.scores(heard)[..., 1:].argmax(-1))
        nothing = adaptor.draft.scores(heard).softmax(-1)[..., 0]
    assert torch.allclose(looked.blank.sigmoid(), nothing, atol=1e-5)


def test_in_training_some_of_what_is_read_is_lost_and_some_is_wrong(adaptor: SecondLook):
    frames, lengths = torch.randn(8, 200, 64), torch.full((8,), 200)
    adaptor.settings = replace(adaptor.settings, corrupted=0.5, longest_draft=400)
    with torch.no_grad():
        adaptor.draft.blank_offset.fill_(1e6)
        heard = adaptor.draft(frames, lengths)
        whole = adaptor.read_draft(heard)
        adaptor.train()
        torch.manual_seed(1)
        broken: Reading = adaptor.read_draft(heard)
    begun, left = int(whole.read[:, -1].sum()), int(broken.read[:, -1].sum())
    assert 0.6 * begun < left < 0.9 * begun


def test_the_tokenizer_reads_words(files: tuple[Path, Path, Path]):
    tokens: ChatTokenizer = whisper_tokenizer(files[1])
    assert all(len(tokens.ids(f" {word}")) == 1 for word in WORDS)
