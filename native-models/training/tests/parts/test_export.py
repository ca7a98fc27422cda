"""What is exported in 8 bits is read back as nearly the same numbers, in fewer bytes."""

import json
import subprocess
import sys
from pathlib import Path

import gguf
import pytest
import torch

from parts.export import export_adaptor, read_adaptor

TRAINING = Path(__file__).parents[2]
TENSORS = {
    "adaptor.out.weight": torch.linspace(-1, 1, 512 * 256).reshape(512, 256).sin(),
    "adaptor.blocks.0.dw.weight": torch.linspace(-2, 2, 512 * 5).reshape(512, 1, 5),
    "adaptor.norm.g": torch.linspace(0.5, 1.5, 512),
    "draft.tau": torch.tensor(14.25),
    "lora.model.layers.29.self_attn.q_proj.A": torch.linspace(-1, 1, 8 * 576).reshape(8, 576),
}


def test_the_large_matrices_take_eight_bits_and_the_rest_sixteen(tmp_path):
    size = export_adaptor(tmp_path, TENSORS, {"architecture": "second-look"}, eight_bits=True)
    assert size == (tmp_path / "adaptor.gguf").stat().st_size < 512 * 256 * 1.1 + 20_000
    assert json.loads((tmp_path / "adaptor.json").read_text()) == {"architecture": "second-look"}
    read = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "adaptor.gguf").tensors}
    assert set(read) == set(TENSORS)
    types = {name: tensor.tensor_type.name for name, tensor in read.items()}
    assert {name for name, kind in types.items() if kind == "Q8_0"} == {"adaptor.out.weight"}
    assert set(types.values()) == {"Q8_0", "F16"}
    assert_close(read_adaptor(tmp_path))


def assert_close(read):
    assert set(read) == set(TENSORS)
    for name, wanted in TENSORS.items():
        assert read[name].shape == wanted.shape
        # Half a step of 127 to the largest of a block.
        assert (read[name] - wanted).abs().max() <= wanted.abs().max() / 200


def test_an_export_in_half_precision_is_read_alike_and_can_be_made_smaller_later(tmp_path):
    half = export_adaptor(tmp_path, TENSORS, {"architecture": "second-look"})
    assert_close(read_adaptor(tmp_path))
    subprocess.run([sys.executable, "-m", "parts.export", str(tmp_path)], check=True, cwd=TRAINING)
    assert (tmp_path / "adaptor.gguf").stat().st_size < 0.7 * half
    assert json.loads((tmp_path / "adaptor.json").read_text()) == {"architecture": "second-look"}
    assert_close(read_adaptor(tmp_path))


def test_a_name_that_gguf_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="63 characters"):
        export_adaptor(tmp_path, {"adaptor." + "x" * 60: torch.zeros(2)}, {}, eight_bits=True)
    assert not (tmp_path / "adaptor.gguf").exists()
