"""A tiny adaptor, exported and asked as `evaluate.py` asks."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from evaluation.listening import SpeechLlm, Turn, run_item
from evaluation.loading import Published, load_listener
from evaluation.suite import EarlierTurn, Item
from parts.answerer import Answerer, AnswerSettings
from parts.conversation import Prompt
from parts.export import export_adaptor
from parts.hearing import Hearing
from parts.language_model import load_language_model, load_tokenizer
from parts.lora import lora_layers, lora_tensors
from parts.masking import MaskingSettings
from parts.spelling import Spelling
from parts.stack_conv_ctc import StackConvCtc, StackConvCtcSettings
from parts.whisper_encoder import load_whisper_encoder
from tests.parts.tiny import write_gguf, write_whisper

PROMPT = Prompt("Be kind.", {"transcribe": "\nRepeat."})


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> SpeechLlm:
    folder = tmp_path_factory.mktemp("listening")
    llm, encoder = write_gguf(folder / "tiny.gguf"), write_whisper(folder / "encoder")
    model, tokenizer = load_language_model(llm), load_tokenizer(llm)
    tokens = sorted(tokenizer.pieces().values())[:20]
    settings = StackConvCtcSettings(64, 2, 32, 32, blocks=1, wide=32, heads=2)
    adaptor = StackConvCtc(settings, model.get_input_embeddings().weight[torch.tensor(tokens)].clone())
    adaptor.blank_offset.fill_(3.0)
    hearing = Hearing(load_whisper_encoder(encoder), adaptor, Spelling(tokens, {}, {}), MaskingSettings())
    trained = Answerer(hearing, model, tokenizer, PROMPT, AnswerSettings(2, 4))
    for layer in lora_layers(trained.llm).values():
        torch.nn.init.normal_(layer.B, std=0.1)
    about = {"adaptor": settings.as_json(), "vocab": tokens, "lora_r": 2, "lora_alpha": 4}
    export_adaptor(folder / "export", adaptor.export_tensors() | lora_tensors(trained.llm), about)
    loaded = SpeechLlm(load_listener(folder / "export", Published(encoder, llm, PROMPT)))
    sound = noise()
    with torch.no_grad():
        trained.eval()
        # What was exported is what was trained, but for half precision.
        torch.testing.assert_close(loaded._hear(sound).vectors, vectors(trained, sound), atol=0.05, rtol=0.05)
    return loaded


def vectors(model: Answerer, sound: np.ndarray) -> torch.Tensor:
    return SpeechLlm(model)._hear(sound).vectors


def noise(seconds: float = 1.0) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.1, int(16000 * seconds)).astype(np.float32)


def test_the_llm_as_published_hears_nothing_of_the_training(listener: SpeechLlm) -> None:
    turns = [Turn("the cat")]
    published, tokens = listener.expectations(turns, "sat on a mat", True)
    trained, _ = listener.expectations(turns, "sat on a mat", False)
    assert published.shape == trained.shape
    assert len(tokens) == len(listener.model.tokenizer.ids("sat on a mat"))
    assert not torch.allclose(published, trained)
    again, _ = listener.expectations(turns, "sat on a mat", True)
    torch.testing.assert_close(again, published)


def test_what_is_written_is_what_is_expected(listener: SpeechLlm) -> None:
    turns = [Turn("the mat", "a cat"), Turn(noise())]
    answer = listener.answer(turns, 6, False)
    logits, tokens = listener.expectations(turns, answer, False)
    # Random weights write bytes that are no letters, which do not come back from text.
    if answer and "\ufffd" not in answer:
        assert int(logits[0].argmax()) == int(tokens[0])
    assert len(listener.model.tokenizer.ids(answer)) <= 12


def test_an_item_is_asked_as_sound_and_as_words(listener: SpeechLlm, tmp_path: Path) -> None:
    sound = tmp_path / "noise.wav"
    soundfile.write(sound, noise(), 16000)
    turns = [EarlierTurn("the mat", "a cat", sound)]
    item = Item("noise", sound, "the cat", answers=["cat"], response="on a mat", turns=turns, is_question=True)
    written, spoken = run_item(listener, item, 4)
    assert (written.subject, spoken.subject) == ("written", "speech-llm")
    assert written.transcript is None
    assert spoken.transcript is not None
    assert written.response.tokens == spoken.response.tokens
    assert written.response.divergence is None
    assert spoken.response.divergence > 0
    plain = run_item(listener, Item("noise", sound, "the cat"), 4)
    assert [result.answer for result in plain] == [None]
