from pathlib import Path

import pytest
import torch

from parts.conversation import Prompt, Reader, SoundPiece, TextPiece, collate
from parts.language_model import ChatTokenizer, load_language_model, load_tokenizer
from parts.lora import add_lora, discounted, lora_tensors
from parts.losses import distillation
from tests.parts.tiny import write_gguf


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("llm") / "tiny.gguf")


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> ChatTokenizer:
    return load_tokenizer(path)


def test_tokens_are_those_of_the_file(tokenizer: ChatTokenizer):
    ids = tokenizer.ids("<|im_start|>user the cat 12<|im_end|>")
    assert ids[0] == 1 and ids[-1] == 2
    assert tokenizer.text(ids) == "user the cat 12"
    assert tokenizer.pieces()[" the"] in ids


def test_weights_are_what_transformers_reads_from_the_file(path: Path):
    from transformers import AutoModelForCausalLM

    own = load_language_model(path)
    theirs = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    ids = torch.tensor([[5, 9, 30, 40, 77]])
    with torch.no_grad():
        torch.testing.assert_close(own(ids).logits, theirs(ids).logits, atol=1e-4, rtol=1e-4)


def test_prefix_and_padding_change_nothing(path: Path, tokenizer: ChatTokenizer):
    llm = load_language_model(path)
    reader = Reader(llm, tokenizer, Prompt("You help.", {}).prefix)
    torch.manual_seed(0)
    turns = [
        [TextPiece([20, 21]), SoundPiece(torch.randn(3, 32)), TextPiece([30]), TextPiece([40, 41, 2], True)],
        [SoundPiece(torch.randn(7, 32)), TextPiece([30, 31]), TextPiece([50, 2], True)],
    ]
    with torch.no_grad():
        batch = collate(turns, reader.table)
        together = reader.logits(batch)
        alone = torch.cat([reader.logits(collate([turn], reader.table)) for turn in turns])
        plain = []
        for turn in turns:
            own = collate([turn], reader.table)
            prefix = reader.table[torch.tensor(reader.prefix)]
            whole = torch.cat([prefix[None], own.embeddings], 1)
            plain.append(llm(inputs_embeds=whole).logits[0, len(reader.prefix) + own.columns])
    assert batch.labels.tolist() == [40, 41, 2, 50, 2]
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together, torch.cat(plain), atol=1e-4, rtol=1e-4)


def test_lora_begins_as_nothing_and_can_be_discounted(path: Path):
    llm = load_language_model(path)
    ids = torch.tensor([[5, 9, 30]])
    with torch.no_grad():
        before = llm(ids).logits
        add_lora(llm, 4, 8)
        torch.testing.assert_close(llm(ids).logits, before)
        for name, value in lora_tensors(llm).items():
            assert name.startswith("lora.model.layers.")
            value.normal_()
        assert not torch.allclose(llm(ids).logits, before)
        with discounted(llm, 0):
            torch.testing.assert_close(llm(ids).logits, before)
    names = lora_tensors(llm)
    assert names["lora.model.layers.1.self_attn.k_proj.A"].shape == (4, 32)
    assert names["lora.model.layers.1.self_attn.k_proj.B"].shape == (16, 4)


def test_distillation_is_nothing_between_equals():
    torch.manual_seed(0)
    logits = torch.randn(5, 9)
    assert float(distillation(logits, logits)) == pytest.approx(0, abs=1e-5)
    assert float(distillation(logits, torch.randn(5, 9))) > 0.1


def test_writing_ends_at_the_end_of_the_turn(path: Path, tokenizer: ChatTokenizer):
    reader = Reader(load_language_model(path), tokenizer, "<|im_start|>user\n")
    said = reader.write([TextPiece([20, 21])], end=-1, most=4)
    assert len(said) == 4
    assert reader.write([TextPiece([20, 21])], end=said[0], most=4) == []
