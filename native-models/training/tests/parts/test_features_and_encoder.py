import struct
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder as Original

from parts.ctranslate2 import read_tensors
from parts.features import LogMel, padded_length
from parts.masking import MaskingSettings, mask_features
from parts.whisper_encoder import WhisperEncoder, load_whisper_encoder
from tests.parts.tiny import write_whisper


def two_clips() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    samples = torch.zeros(2, padded_length(20000))
    samples[0, :20000] = torch.randn(20000, generator=generator) * 0.1
    samples[1, :9000] = torch.randn(9000, generator=generator) * 0.02
    return samples, torch.tensor([padded_length(20000), padded_length(9000)])


def test_log_mel_of_a_batch_is_what_transformers_computes_for_each_clip_alone():
    samples, lengths = two_clips()
    features = LogMel()(samples, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = WhisperFeatureExtractor()._np_extract_fbank_features(samples[row : row + 1, :length].numpy(), "cpu")
        np.testing.assert_allclose(features[row, :, : length // 160], alone[0], atol=2e-5)
        assert not features[row, :, length // 160 :].any()


def test_encoder_gives_a_clip_in_a_batch_what_transformers_gives_it_alone(tmp_path: Path):
    encoder = load_whisper_encoder(write_whisper(tmp_path)).eval()
    config = WhisperConfig(
        d_model=64, encoder_layers=2, encoder_attention_heads=1, encoder_ffn_dim=128, attn_implementation="eager"
    )
    original = Original(config).eval()
    original.load_state_dict(encoder.state_dict())
    samples, lengths = two_clips()
    log_mel = LogMel()(samples, lengths)
    with torch.no_grad():
        found, frames = encoder(log_mel, lengths // 160)
        for row, count in enumerate(frames.tolist()):
            # Transformers insists on 30 s: its layers are run as they are, on the clip's own frames.
            x = torch.nn.functional.gelu(original.conv1(log_mel[row : row + 1, :, : 2 * count]))
            x = torch.nn.functional.gelu(original.conv2(x)).transpose(1, 2)
            x = x + original.embed_positions.weight[:count]
            for layer in original.layers:
                out = layer(x, None)
                x = out[0] if isinstance(out, tuple) else out
            torch.testing.assert_close(found[row, :count], original.layer_norm(x)[0], atol=1e-4, rtol=1e-4)


def test_layers_may_be_run_in_two_goes():
    torch.manual_seed(0)
    encoder = WhisperEncoder(80, 64, 3, 128).eval()
    log_mel, frames = torch.randn(2, 80, 40), torch.tensor([40, 24])
    with torch.no_grad():
        x, lengths = encoder.begin(log_mel, frames)
        lower = encoder.through(x, lengths, 0, 2)
        torch.testing.assert_close(encoder.through(lower, lengths, 2), encoder(log_mel, frames)[0])


def test_train_top_frees_the_last_layers_alone():
    encoder = WhisperEncoder(80, 64, 3, 128).train_top(1)
    free = {name.split(".")[1] for name, p in encoder.named_parameters() if p.requires_grad and "layers" in name}
    assert free == {"2"}


def test_ctranslate2_reads_floats_halves_bytes_with_scales_and_aliases(tmp_path: Path):
    def name(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    def tensor(key: str, kind: int, values: np.ndarray) -> bytes:
        head = name(key) + struct.pack("<B", values.ndim) + struct.pack(f"<{values.ndim}I", *values.shape)
        return head + struct.pack("<BI", kind, values.nbytes) + values.tobytes()

    tensors = [
        tensor("a", 0, np.array([1.5, -2], np.float32)),
        tensor("b", 4, np.array([[0.5]], np.float16)),
        tensor("c", 1, np.array([[10, 20], [30, 40]], np.int8)),
        tensor("c_scale", 0, np.array([10, 100], np.float32)),
    ]
    data = struct.pack("<I", 6) + name("WhisperSpec") + struct.pack("<II", 3, len(tensors)) + b"".join(tensors)
    path = tmp_path / "model.bin"
    path.write_bytes(data + struct.pack("<I", 1) + name("d") + name("a"))
    found = read_tensors(path)
    assert found["a"].tolist() == found["d"].tolist() == [1.5, -2]
    assert found["b"].tolist() == [[0.5]]
    torch.testing.assert_close(found["c"], torch.tensor([[1.0, 2.0], [0.3, 0.4]]))


def test_masks_leave_most_of_a_clip_and_are_the_same_for_a_seed():
    features, frames = torch.ones(4, 80, 200), torch.tensor([200, 150, 100, 50])
    torch.manual_seed(3)
    first = mask_features(features, frames, MaskingSettings())
    torch.manual_seed(3)
    assert torch.equal(first, mask_features(features, frames, MaskingSettings()))
    assert 0.5 < float(first.mean()) < 1
